//! Values with units: durations, sizes, rates.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::{grouped, scalar};
use super::{Read, Said};
use crate::source::Diagnostic;
use crate::source::yaml::Node;

/// The longest duration that means anything in a drill: queues give up after five days or so.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// The highest rate: a drill proves a path, it is no load test.
const FASTEST: u64 = 1_000;

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: &[(&str, u64)] =
    &[("", 1), ("B", 1), ("KB", 1_000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20)];

/// A duration above zero, such as `500ms`, `30s` or `1m30s`.
pub fn duration(node: &Node, said: &mut Said) -> Option<Duration> {
    lasting(Duration::from_millis(1)..=LONGEST)(node, said)
}

/// A duration within limits.
pub fn lasting(range: RangeInclusive<Duration>) -> impl Read<Duration> {
    move |node: &Node, said: &mut Said| {
        let text = scalar(node, "a duration such as `30s`", said)?;
        let bad = |title: String| Diagnostic::error(node.span, title);
        let error = match sum(text, TIMES).map(Duration::from_millis) {
            Some(time) if range.contains(&time) => return Some(time),
            Some(_) => {
                let (low, high) = (spoken(*range.start()), spoken(*range.end()));
                bad(format!("`{}` cannot be {text}", said.key()))
                    .note(format!("`{}` is a duration from {low} to {high}", said.key()))
            }
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                bad(format!("the duration `{text}` has no unit")).label(format!("did you mean `{text}s`?"))
            }
            None => bad(format!("`{text}` is not a duration")),
        };
        said.refuse(error.note("durations are whole numbers with ms, s, m, h or d, such as `500ms` or `1m30s`"))
    }
}

/// A size in bytes, such as `64KiB`, `4KB` or `512`.
pub fn size(range: RangeInclusive<u64>) -> impl Read<u64> {
    move |node: &Node, said: &mut Said| {
        let text = scalar(node, "a size such as `64KiB`", said)?;
        let error = match part(text, SIZES).filter(|(_, rest)| rest.is_empty()).map(|(bytes, _)| bytes) {
            Some(bytes) if range.contains(&bytes) => return Some(bytes),
            Some(_) => {
                let (low, high) = (bytes_spoken(*range.start()), bytes_spoken(*range.end()));
                Diagnostic::error(node.span, format!("`{}` cannot be {text}", said.key()))
                    .note(format!("`{}` is a size from {low} to {high}", said.key()))
            }
            None => Diagnostic::error(node.span, format!("`{text}` is not a size")),
        };
        said.refuse(error.note("sizes are whole numbers of bytes, or with KB, KiB, MB or MiB, such as `64KiB`"))
    }
}

/// A rate such as `10/s` or `600/m`, as the time from one to the next.
pub fn rate(node: &Node, said: &mut Said) -> Option<Duration> {
    let text = scalar(node, "a rate such as `10/s`", said)?;
    let error = match per_time(text) {
        Some((0, _)) => Diagnostic::error(node.span, format!("`{}` cannot be 0", said.key())),
        Some((count, time)) if u128::from(count) * 1_000 <= u128::from(FASTEST) * time.as_millis() => {
            return Some(time / u32::try_from(count).ok()?);
        }
        Some(_) => Diagnostic::error(node.span, format!("`{text}` is faster than {}/s", grouped(FASTEST)))
            .note("a drill proves where mail goes; it is no load test"),
        None => Diagnostic::error(node.span, format!("`{text}` is not a rate")),
    };
    said.refuse(error.note("rates are a whole number by s, m or h, such as `10/s` or `600/m`"))
}

/// A rate in bytes a second, such as `10/s`, `1B/s` or `4KiB/s`; from 1.
pub fn bytes_rate(node: &Node, said: &mut Said) -> Option<u64> {
    let text = scalar(node, "a rate such as `4KiB/s`", said)?;
    let bytes = text.trim().strip_suffix("/s").and_then(|size| part(size, SIZES)).filter(|(_, rest)| rest.is_empty());
    let error = match bytes {
        Some((0, _)) => Diagnostic::error(node.span, format!("`{}` cannot be 0", said.key())),
        Some((bytes, _)) => return Some(bytes),
        None => Diagnostic::error(node.span, format!("`{text}` is not a rate in bytes")),
    };
    said.refuse(error.note("rates in bytes are a size by second, such as `10/s` or `4KiB/s`"))
}

fn per_time(text: &str) -> Option<(u64, Duration)> {
    let (count, unit) = text.split_once('/')?;
    let (_, millis) = TIMES.iter().find(|(name, _)| *name == unit && *name != "ms" && *name != "d")?;
    Some((count.trim().parse().ok()?, Duration::from_millis(*millis)))
}

/// The sum of numbers with units: `1m30s`.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (mut sum, mut rest) = part(text, units)?;
    while !rest.is_empty() {
        let (more, after) = part(rest, units)?;
        (sum, rest) = (sum.checked_add(more)?, after);
    }
    Some(sum)
}

/// The number with its unit that a text begins with, and what follows.
fn part<'a>(text: &'a str, units: &[(&str, u64)]) -> Option<(u64, &'a str)> {
    let text = text.trim();
    let (number, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let (unit, rest) = rest.split_at(rest.bytes().take_while(|byte| !byte.is_ascii_digit()).count());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    Some((number.parse::<u64>().ok()?.checked_mul(*factor)?, rest))
}

/// A duration in its largest whole unit.
fn spoken(time: Duration) -> String {
    let millis = time.as_millis() as u64;
    TIMES
        .iter()
        .rev()
        .find(|(_, factor)| millis >= *factor && millis.is_multiple_of(*factor))
        .map_or_else(|| format!("{millis}ms"), |(name, factor)| format!("{}{name}", millis / factor))
}

fn bytes_spoken(bytes: u64) -> String {
    [("MiB", 1u64 << 20), ("KiB", 1 << 10)]
        .iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .map_or_else(|| bytes.to_string(), |(name, factor)| format!("{}{name}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_parts_and_sizes_are_one() {
        assert_eq!(sum("1m30s", TIMES), Some(90_000));
        assert_eq!(sum("500ms", TIMES), Some(500));
        assert_eq!(part("64KiB", SIZES), Some((65_536, "")));
        assert_eq!(part("4 KB", SIZES), Some((4_000, "")));
        assert_eq!(part("512", SIZES), Some((512, "")));
        for bad in ["", "30", "s", "1.5s", "-1s", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(sum(bad, TIMES), None, "{bad:?}");
        }
    }

    #[test]
    fn limits_are_spoken_in_their_largest_unit() {
        assert_eq!(spoken(Duration::from_secs(90)), "90s");
        assert_eq!(spoken(LONGEST), "30d");
        assert_eq!(bytes_spoken(32 << 20), "32MiB");
    }

    #[test]
    fn rates_are_counts_by_time() {
        assert_eq!(per_time("10/s"), Some((10, Duration::from_secs(1))));
        assert_eq!(per_time("600/m"), Some((600, Duration::from_secs(60))));
        assert_eq!(per_time("10"), None);
        assert_eq!(per_time("10/d"), None);
    }
}
