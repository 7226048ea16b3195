//! Times as logs and mbox files write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// From UTC-12 to UTC+14, in seconds.
const ZONES: std::ops::RangeInclusive<i64> = -12 * 3600..=14 * 3600;
/// The zones that are not whole hours away from UTC, in minutes (tz database, 2026).
const ODD_ZONES: &[i64] = &[-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
/// How far, in seconds, a clock may be off for its zone to be told from a fresh stamp.
const SKEW: i64 = 2 * 60;

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// With its zone.
    Exact(Timestamp),
    /// Without one.
    Local(DateTime),
    /// Without a year too: month, day, time.
    Yearless(i8, i8, Time),
}

/// The zone of a writer that does not state it: UTC, until a stamp is seen as it is written and
/// tells how far the writer's clock is from the run's, if that is a zone that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Zone {
    /// Seconds east of UTC.
    east: i32,
}

impl Zone {
    /// Learns from a stamp that was written at `seen`, give or take minutes.
    pub(super) fn learn(&mut self, stamp: &Stamp, seen: Timestamp) {
        if matches!(stamp, Stamp::Exact(_)) {
            return;
        }
        let Some(written) = Zone::default().time(stamp, seen) else { return };
        let apart = written.as_second() - seen.as_second();
        let hour = (apart + apart.signum() * 1800) / 3600 * 3600;
        let zones = std::iter::once(hour).chain(ODD_ZONES.iter().map(|minutes| minutes * 60));
        if let Some(east) = zones.filter(|east| ZONES.contains(east)).find(|east| (apart - east).abs() <= SKEW) {
            self.east = i32::try_from(east).unwrap_or_default();
        }
    }

    /// The time that a stamp stands for; a year that is missing is the latest that does not lie
    /// in the future of `seen`.
    pub(super) fn time(&self, stamp: &Stamp, seen: Timestamp) -> Option<Timestamp> {
        match stamp {
            Stamp::Exact(at) => Some(*at),
            Stamp::Local(at) => self.utc(*at),
            Stamp::Yearless(month, day, time) => {
                let latest = seen.checked_add(SignedDuration::from_hours(48)).ok()?;
                let year = Offset::UTC.to_datetime(seen).year();
                [year.saturating_add(1), year, year - 1].into_iter().find_map(|year| {
                    let date = Date::new(year, *month, *day).ok()?;
                    self.utc(DateTime::from_parts(date, *time)).filter(|at| *at <= latest)
                })
            }
        }
    }

    fn utc(self, local: DateTime) -> Option<Timestamp> {
        Offset::from_seconds(self.east).ok()?.to_timestamp(local).ok()
    }
}

/// The stamp at the start of a line and what follows it, in any of the shapes below.
pub(super) fn leading(line: &str) -> Option<(Stamp, &str)> {
    match line.as_bytes().first()? {
        b'0'..=b'9' => iso(line),
        b'@' => tai64n(line),
        _ => classic(line),
    }
}

/// A time that stands by itself in a table, in UTC where it names no zone: as in ISO 8601, or with
/// slashes and ` UTC`.
pub(super) fn utc(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches(" UTC").replace('/', "-");
    let (stamp, _) = leading(&text)?;
    Zone::default().time(&stamp, Timestamp::default())
}

/// `2026-11-21T05:42:24.004932+00:00`, or Exim's `2026-11-21 05:42:24.123 +0100`, of which all
/// behind the seconds may be missing.
fn iso(line: &str) -> Option<(Stamp, &str)> {
    let (date, rest) = split(line, 10)?;
    let mut parts = date.split('-');
    let date = Date::new(digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?).ok()?;
    let (between, rest) = split(rest, 1)?;
    let (time, rest) = clock(rest).filter(|_| matches!(between, "T" | " "))?;
    let local = DateTime::from_parts(date, time);
    // A word that begins with `Z` is no zone.
    let zoned = |rest: &str| zone(rest).and_then(|(east, rest)| Some((east, ended(rest)?.len())));
    match zoned(rest).or_else(|| rest.strip_prefix(' ').and_then(zoned)) {
        Some((east, left)) => {
            let at = Offset::from_seconds(east).ok()?.to_timestamp(local).ok()?;
            Some((Stamp::Exact(at), &rest[rest.len() - left..]))
        }
        None => Some((Stamp::Local(local), ended(rest)?)),
    }
}

/// `@` and a TAI64N label in 24 hexadecimal digits. As in daemontools the difference to UTC is
/// taken as the ten seconds of 1970; libraries that know of leap seconds write up to 27 s more.
fn tai64n(line: &str) -> Option<(Stamp, &str)> {
    let (label, rest) = split(line, 25)?;
    let seconds = i64::from_str_radix(label.get(1..17)?, 16).ok()?.checked_sub((1 << 62) + 10)?;
    let at = Timestamp::new(seconds, i32::from_str_radix(label.get(17..)?, 16).ok()?).ok()?;
    Some((Stamp::Exact(at), ended(rest)?))
}

/// `Nov  1 05:42:24` (RFC 3164), with a year behind the day in some files.
fn classic(line: &str) -> Option<(Stamp, &str)> {
    let (month, rest) = month(line)?;
    let (day, rest) = number(rest.strip_prefix(' ')?.trim_start_matches(' '))?;
    let rest = rest.strip_prefix(' ')?;
    if let Some((time, rest)) = clock(rest) {
        let day = i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?;
        return Some((Stamp::Yearless(month, day, time), ended(rest)?));
    }
    let (year, rest) = number(rest)?;
    let (time, rest) = clock(rest.strip_prefix(' ')?)?;
    Some((Stamp::Local(at(year, month, day, time)?), ended(rest)?))
}

/// `Sat Nov 21 05:16:35 2026`, of the line that begins a message of an mbox file.
pub(super) fn asctime(text: &str) -> Option<Stamp> {
    let mut words = text.split_ascii_whitespace();
    let _weekday = words.next().filter(|word| word.len() == 3)?;
    let (month, _) = month(words.next()?)?;
    let (day, _) = number(words.next()?)?;
    let (time, _) = clock(words.next()?)?;
    // Some writers put a zone before the year.
    let (year, _) = words.find_map(|word| number(word).filter(|(year, _)| *year >= 1970))?;
    Some(Stamp::Local(at(year, month, day, time)?))
}

fn at(year: u32, month: i8, day: u32, time: Time) -> Option<DateTime> {
    let date = Date::new(i16::try_from(year).ok()?, month, i8::try_from(day).ok()?).ok()?;
    Some(DateTime::from_parts(date, time))
}

fn month(text: &str) -> Option<(i8, &str)> {
    let (name, rest) = split(text, 3)?;
    let index = MONTHS.iter().position(|it| *it == name)?;
    Some((i8::try_from(index).ok()? + 1, rest))
}

/// `05:42:24`, with a fraction where one follows.
fn clock(text: &str) -> Option<(Time, &str)> {
    let (clock, mut rest) = split(text, 8)?;
    let mut parts = clock.split(':');
    let (hour, minute, second) =
        (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits::<i8>(parts.next()?, 2)?);
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let shown = fraction.get(..length.min(9))?;
        nanos = format!("{shown:0<9}").parse().ok()?;
        rest = fraction.get(length..)?;
    }
    // A leap second is written as 60; the clocks that show it repeat 59.
    Time::new(hour, minute, second.min(59), nanos).ok().map(|time| (time, rest))
}

/// `Z`, `+0100` or `+01:00`, in seconds east of UTC.
fn zone(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let (sign, rest) = split(text, 1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, rest) = split(rest, 2)?;
    let (minutes, rest) = split(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    Some((sign * (digits::<i32>(hours, 2)? * 3600 + digits::<i32>(minutes, 2)? * 60), rest))
}

/// What follows a stamp: a blank, which is dropped, or nothing.
fn ended(rest: &str) -> Option<&str> {
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    text.split_at_checked(at)
}

fn digits<T: std::str::FromStr>(text: &str, length: usize) -> Option<T> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn number(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = split(text, length)?;
    Some((digits.parse().ok().filter(|_| length <= 4)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(line: &str, seen: &str) -> String {
        let (stamp, rest) = leading(line).expect("a stamp");
        assert_eq!(rest, "host x");
        let seen: Timestamp = seen.parse().expect("a time");
        Zone::default().time(&stamp, seen).expect("a time").to_string()
    }

    #[test]
    fn stamps_of_all_shapes_are_read() {
        let now = "2026-11-21T06:00:00Z";
        assert_eq!(time("2026-11-21T05:42:24.004932+00:00 host x", now), "2026-11-21T05:42:24.004932Z");
        assert_eq!(time("2026-11-21T05:42:24-03:30 host x", now), "2026-11-21T09:12:24Z");
        assert_eq!(time("2026-11-21T05:42:24Z host x", now), "2026-11-21T05:42:24Z");
        assert_eq!(time("2026-11-21 05:42:24 host x", now), "2026-11-21T05:42:24Z");
        assert_eq!(time("2026-11-21 05:42:24.123 +0100 host x", now), "2026-11-21T04:42:24.123Z");
        assert_eq!(leading("2026-11-21 05:42:24.5 ZhI3 x").map(|(_, rest)| rest), Some("ZhI3 x"));
        assert_eq!(time("Nov 21 05:42:24 host x", now), "2026-11-21T05:42:24Z");
        assert_eq!(time("Nov  1 05:42:24 host x", now), "2026-11-01T05:42:24Z");
        assert_eq!(time("Nov 21 2025 05:42:24 host x", now), "2025-11-21T05:42:24Z");
        assert_eq!(time("@40000000419f13a8181adc3c host x", now), "2004-11-20T09:51:26.4044135Z");
    }

    #[test]
    fn a_year_that_is_missing_is_the_latest_that_fits() {
        assert_eq!(time("Dec 31 23:59:59 host x", "2027-01-01T00:00:01Z"), "2026-12-31T23:59:59Z");
        assert_eq!(time("Jan  1 00:00:05 host x", "2026-12-31T23:59:59Z"), "2027-01-01T00:00:05Z");
        assert_eq!(time("Dec 24 12:00:00 host x", "2026-11-21T06:00:00Z"), "2025-12-24T12:00:00Z");
        assert_eq!(time("Feb 29 12:00:00 host x", "2025-02-01T00:00:00Z"), "2024-02-29T12:00:00Z");
    }

    #[test]
    fn a_zone_is_learned_from_a_stamp_that_is_seen_as_it_is_written() {
        let seen: Timestamp = "2026-11-21T23:30:02Z".parse().expect("a time");
        for (line, zone, utc) in [
            ("2026-11-22 00:30:00 x", 3600, "2026-11-21T23:30:00Z"),
            ("Nov 22 05:15:00 x", 20_700, "2026-11-21T23:30:00Z"),
            ("Nov 21 18:29:58 x", -18_000, "2026-11-21T23:29:58Z"),
            // A clock that is off by more than minutes tells no zone.
            ("Nov 21 23:20:00 x", 0, "2026-11-21T23:20:00Z"),
        ] {
            let (stamp, _) = leading(line).expect("a stamp");
            let mut learned = Zone::default();
            learned.learn(&stamp, seen);
            assert_eq!(learned, Zone { east: zone }, "{line}");
            assert_eq!(learned.time(&stamp, seen).map(|at| at.to_string()).as_deref(), Some(utc));
        }
    }

    #[test]
    fn the_date_of_an_mbox_line_is_read() {
        let stamp = asctime("Sat Nov 21 05:16:35 2026").expect("a stamp");
        let now = "2026-11-21T06:00:00Z".parse().expect("a time");
        let at = Zone::default().time(&stamp, now).expect("a time");
        assert_eq!(at.to_string(), "2026-11-21T05:16:35Z");
        assert_eq!(asctime("Sat Nov 21 05:16:35 +0100 2026"), Some(stamp));
        assert_eq!(asctime("of all things"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(line in "\\PC{0,60}", near in "[A-Z][a-z]{2} [ 0-9]{2} [0-9:.]{0,12} \\PC{0,5}") {
            let _ = (leading(&line), leading(&near), asctime(&line));
        }
    }
}
