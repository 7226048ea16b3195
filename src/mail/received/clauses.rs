//! From pieces to clauses.

use super::comment::{self, behind_name, given, is_address};
use super::tokens::{Token, tokens};
use super::{Received, writer};

/// The words that begin a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clause {
    From,
    By,
    Via,
    With,
    Id,
    For,
    Tls,
    /// Outside of a comment, as Haraka writes it.
    EnvelopeFrom,
}

const CLAUSES: &[(&str, Clause)] = &[
    ("from", Clause::From),
    ("by", Clause::By),
    ("via", Clause::Via),
    ("with", Clause::With),
    ("id", Clause::Id),
    ("for", Clause::For),
    ("tls", Clause::Tls),
    ("envelope-from", Clause::EnvelopeFrom),
];

/// What belongs to one clause.
#[derive(Debug, Default)]
struct Part<'a> {
    words: Vec<&'a str>,
    comments: Vec<&'a str>,
}

/// Reads an unfolded header.
pub(super) fn read(text: &str) -> Received {
    let mut header = Received::default();
    let pieces = tokens(text);
    // Comments and quotes may hold semicolons; the last one outside begins the date.
    let end = pieces.iter().rposition(|piece| matches!(piece, Token::Semicolon(_)));
    let (clauses, at) = match end.and_then(|end| Some((end, pieces.get(end)?))) {
        Some((end, Token::Semicolon(at))) => (&pieces[..end], text.get(*at..)),
        _ => (&pieces[..], None),
    };
    header.at = at.map(|at| at.trim().to_owned()).filter(|at| !at.is_empty());
    for (clause, part) in parts(clauses) {
        take(clause, &part, &mut header);
    }
    writer::conclude(&mut header, text);
    header
}

/// The clauses in their order; what stands before the first one belongs to none.
fn parts<'a>(pieces: &[Token<'a>]) -> Vec<(Option<Clause>, Part<'a>)> {
    let mut parts: Vec<(Option<Clause>, Part<'a>)> = vec![(None, Part::default())];
    for (index, piece) in pieces.iter().enumerate() {
        let Some((current, part)) = parts.last_mut() else { break };
        match piece {
            Token::Word(word) => match begins(word, *current, part, &pieces[index + 1..]) {
                Some(clause) => parts.push((Some(clause), Part::default())),
                None => {
                    // `id 4WkQ2n1zfor <a@b>`: a line break was lost.
                    let next_is_address = matches!(pieces.get(index + 1), Some(Token::Angle(_)));
                    match word.strip_suffix("for").filter(|it| {
                        *current == Some(Clause::Id) && part.words.is_empty() && next_is_address && !it.is_empty()
                    }) {
                        Some(id) => {
                            part.words.push(id);
                            parts.push((Some(Clause::For), Part::default()));
                        }
                        None => part.words.push(word),
                    }
                }
            },
            Token::Angle(inside) => part.words.push(inside),
            Token::Comment(inside) => part.comments.push(inside),
            Token::Semicolon(_) => {}
        }
    }
    parts
}

/// Whether a word begins a clause here, rather than being a value such as a host called `by`.
fn begins(word: &str, current: Option<Clause>, part: &Part<'_>, rest: &[Token<'_>]) -> Option<Clause> {
    let clause = CLAUSES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name))?.1;
    let empty = part.words.is_empty() && part.comments.is_empty();
    match (current, clause) {
        // `from from.example`, `id id`: a clause has a value.
        (Some(Clause::By | Clause::Id | Clause::With), _) if empty => None,
        (Some(Clause::From), Clause::From) => None,
        (_, Clause::Tls) if !matches!(current, Some(Clause::With | Clause::EnvelopeFrom | Clause::Id)) => None,
        _ if rest.is_empty() => None,
        _ => Some(clause),
    }
}

fn take(clause: Option<Clause>, part: &Part<'_>, header: &mut Received) {
    for comment in &part.comments {
        // What stands behind `from` is about the client, but for web mail that writes itself there.
        if clause != Some(Clause::From) || comment.starts_with("SquirrelMail ") {
            writer::learn(comment, header);
        }
        comment::security(comment, header);
    }
    let first = part.words.first().copied();
    match clause {
        None | Some(Clause::Via | Clause::EnvelopeFrom) => {}
        Some(Clause::From) => from(part, header),
        Some(Clause::By) => by(part, header),
        Some(Clause::With) => with(&part.words, header),
        Some(Clause::Id) => {
            header.id = header.id.take().or(first.map(|it| it.trim_end_matches([';', ',']).to_owned()));
            logged_in(&part.words, header);
        }
        Some(Clause::For) => {
            let recipient = first.map(|it| it.trim_matches(|c: char| "<>;,".contains(c)).to_owned());
            header.recipient = header.recipient.take().or(recipient.filter(|it| it.contains('@')));
        }
        Some(Clause::Tls) => header.tls = header.tls.take().or(first.map(str::to_owned)),
    }
}

/// `auth=yes user=u`, as OpenSMTPD writes it.
fn logged_in(words: &[&str], header: &mut Received) {
    if words.contains(&"auth=yes") {
        let user = words.iter().find_map(|word| word.strip_prefix("user="));
        header.auth = header.auth.take().or(Some(user.unwrap_or("somebody").to_owned()));
    }
}

fn from(part: &Part<'_>, header: &mut Received) {
    if header.from.is_some() || header.from_ip.is_some() {
        return;
    }
    let first = part.words.first().copied().unwrap_or_default();
    // `host [1.2.3.4]` and `host[1.2.3.4]` without round brackets.
    let stated = part.words.iter().find_map(|word| is_address(word).or_else(|| behind_name(word)));
    let clients: Vec<comment::Client> = part.comments.iter().filter_map(|it| comment::client(it)).collect();
    // `from [1.2.3.4] (name)`, as chasquid writes it: the name alone is what the client said.
    let only_name = |it: &comment::Client| it.address.is_none().then(|| it.rdns.clone()).flatten();
    let claimed = clients.iter().find_map(only_name).filter(|_| first.starts_with('['));
    let helo = clients.iter().find_map(|it| it.helo.clone()).or_else(|| claimed.clone());
    let name = first.split('[').next().filter(|name| !name.is_empty()).and_then(given);
    header.from_ip = clients.iter().find_map(|it| it.address).or(stated);
    header.rdns = clients.iter().find_map(|it| it.rdns.clone()).filter(|name| Some(name) != claimed.as_ref());
    match helo {
        Some(helo) => {
            header.from = Some(helo);
            let looked_up = name.filter(|name| is_address(name).is_none());
            header.rdns = looked_up.or(header.rdns.take());
        }
        None => {
            let whole = match part.words.len() {
                0 | 1 => name,
                // `from mail pickup service`, `from root`: words that name no host.
                _ if stated.is_none() => given(&part.words.join(" ")),
                _ => name,
            };
            header.from = whole.or_else(|| given(first)).filter(|it| !it.is_empty());
        }
    }
}

fn by(part: &Part<'_>, header: &mut Received) {
    let name = part.words.first().and_then(|word| given(word));
    if header.by.is_none() {
        header.by = name;
        header.by_ip = part.comments.iter().find_map(|it| comment::address(it.split(' ').next().unwrap_or(it)));
    }
    // `by host with SMTP` of ancient programs that leave the keyword out.
    if header.with.is_none() && part.words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("SMTP")) {
        header.with = Some("SMTP".to_owned());
    }
}

fn with(words: &[&str], header: &mut Received) {
    if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("encrypted")) {
        // `with AES256-GCM-SHA384 encrypted SMTP`
        header.tls = header.tls.take().or(words.first().map(|it| (*it).to_owned()));
        header.with = header.with.take().or(words.get(at + 1).map(|it| (*it).to_owned()));
        return;
    }
    let is_microsoft = words.first().is_some_and(|word| word.eq_ignore_ascii_case("Microsoft"));
    let protocol = match is_microsoft {
        true => words.iter().take_while(|word| !word.eq_ignore_ascii_case("id")).copied().collect::<Vec<_>>().join(" "),
        false => words.first().map(|word| word.trim_end_matches([';', ',']).to_owned()).unwrap_or_default(),
    };
    if protocol.is_empty() {
        return;
    }
    if header.with.is_some() {
        // `with ESMTP with STARTTLS (version=…)`
        if protocol.eq_ignore_ascii_case("STARTTLS") {
            header.tls = header.tls.take().or(Some(protocol));
        }
        return;
    }
    header.with = Some(protocol);
}
