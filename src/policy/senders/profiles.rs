//! The projects, one entry each.

use super::super::problem::Code;
use super::document::{
    self, Blank, Colons, Ends, Keys, Lines, ModeNeed, MxNeed, Number, Others, Range, Repeated, Spelling, Version,
    WithoutColon,
};
use super::matching::{self, ALabels, Dot};
use super::record::{self, Equals, Id, Names, Pairs, Set, Spaces};
use super::{Conduct, MediaType, Profile, Refetch, Role, Size, Source, Status};

/// The greatest `max_age` of RFC 8461.
const YEAR: i64 = 31_557_600;
const KIB: u64 = 1024;

/// What the RFC suggests.
const SUGGESTED: Conduct = Conduct {
    media_type: MediaType::Demanded,
    size: Size::AtMost(64 * KIB),
    patience: 60,
    status: Status::Only200,
    refetch: Refetch::NewIdOrRefresh,
};

/// A reader of lines that minds nothing that the RFC minds; entries say what they do mind.
const LENIENT: Lines = Lines {
    ends: Ends::Lf,
    without_colon: WithoutColon::Ignored,
    blank: Blank::Ignored,
    colons: Colons::AtLeastOne,
    keys: Keys::Trimmed,
    others: Others::Ignored,
    repeated: Repeated::Last,
    version: Version::Needed,
    mode: ModeNeed::Needed,
    number: Number::Go,
    range: Range::Within(0, YEAR),
    mx: MxNeed::UnlessNone,
    spelling: Spelling::AsWritten,
};

/// The letter of RFC 8461.
pub const STRICT: Profile = Profile {
    name: "strict",
    version: "RFC 8461",
    role: Role::Sender,
    source: Source::Rfc,
    record: record::Rules::Strict { tolerates: &[], set: Set::Exactly },
    document: document::Rules::Strict { tolerates: &[], refuses: &[], spelling: Spelling::Lower },
    matching: matching::Rules::Strict { dot: Dot::Removed },
    conduct: SUGGESTED,
};

/// mox, a mail server.
pub const MOX: Profile = Profile {
    name: "mox",
    version: "1c95876",
    source: Source::Run,
    record: record::Rules::Strict { tolerates: &[], set: Set::ExactlyLoosely },
    document: document::Rules::Strict {
        tolerates: &[Code::MaxAgeTooLong],
        refuses: &[Code::BadDuplicate, Code::MxIsAddress],
        spelling: Spelling::Lower,
    },
    conduct: Conduct { media_type: MediaType::Ignored, ..SUGGESTED },
    ..STRICT
};

/// chasquid, an SMTP server. It makes nothing of the `id`.
pub const CHASQUID: Profile = Profile {
    name: "chasquid",
    version: "ca2538b",
    role: Role::Sender,
    source: Source::Run,
    record: record::Rules::PrefixOnly,
    document: document::Rules::Lines(Lines { range: Range::Within(1, YEAR), mx: MxNeed::Always, ..LENIENT }),
    matching: matching::Rules::Compared { pattern_dot: Dot::Removed, a_labels: ALabels::Matched },
    conduct: Conduct { size: Size::CutAt(10 * KIB), patience: 30, refetch: Refetch::Expiry, ..SUGGESTED },
};

/// maddy, by its library go-mtasts.
pub const MADDY: Profile = Profile {
    name: "maddy",
    version: "foxcpp/go-mtasts",
    role: Role::Sender,
    source: Source::Run,
    record: record::Rules::Pairs(Pairs {
        version: record::Version::Anywhere,
        equals: Equals::ExactlyOne,
        spaces: Spaces::Refused,
        names: Names::AsWritten,
        id: Id::NotEmpty,
        others: record::Others::Ignored,
        set: Set::ExactlyLoosely,
    }),
    document: document::Rules::Lines(Lines {
        without_colon: WithoutColon::Refused,
        blank: Blank::Refused,
        colons: Colons::ExactlyOne,
        keys: Keys::AsWritten,
        repeated: Repeated::LastAllRight,
        range: Range::Within(i64::MIN, i64::MAX),
        ..LENIENT
    }),
    matching: matching::Rules::Compared { pattern_dot: Dot::Removed, a_labels: ALabels::Missed },
    conduct: SUGGESTED,
};

/// postfix-mta-sts-resolver, which looks policies up for Postfix.
pub const POSTFIX: Profile = Profile {
    name: "postfix-mta-sts-resolver",
    version: "1.5.1",
    role: Role::Sender,
    source: Source::Run,
    record: record::Rules::Pairs(Pairs {
        version: record::Version::First,
        equals: Equals::AtLeastOne,
        spaces: Spaces::Kept,
        names: Names::AsWritten,
        id: Id::Anything,
        others: record::Others::Ignored,
        set: Set::ExactlyLoosely,
    }),
    document: document::Rules::Lines(Lines {
        ends: Ends::Python,
        keys: Keys::AsWritten,
        number: Number::Python,
        ..LENIENT
    }),
    matching: matching::Rules::PostfixMatch,
    conduct: Conduct { patience: 4, refetch: Refetch::NewIdOnly, ..SUGGESTED },
};

/// KumoMTA. How it reads the TXT record was read, not run.
pub const KUMOMTA: Profile = Profile {
    name: "kumomta",
    version: "3ebc1e8",
    role: Role::Sender,
    source: Source::Run,
    record: record::Rules::Pairs(Pairs {
        version: record::Version::Anywhere,
        equals: Equals::AtLeastOne,
        spaces: Spaces::Trimmed,
        names: Names::AsWritten,
        id: Id::Anything,
        others: record::Others::Ignored,
        set: Set::Joined,
    }),
    document: document::Rules::Lines(Lines {
        without_colon: WithoutColon::Refused,
        repeated: Repeated::Refused,
        number: Number::Rust,
        range: Range::Within(0, i64::MAX),
        spelling: Spelling::Lower,
        ..LENIENT
    }),
    matching: matching::Rules::Compared { pattern_dot: Dot::Kept, a_labels: ALabels::Matched },
    conduct: Conduct { size: Size::Any, patience: 20, refetch: Refetch::NewIdOnly, ..SUGGESTED },
};

/// Stalwart and its library mail-auth; read, not run.
pub const STALWART: Profile = Profile {
    name: "stalwart",
    version: "mail-auth 0.13",
    role: Role::Sender,
    source: Source::Read,
    record: record::Rules::Pairs(Pairs {
        version: record::Version::Anywhere,
        equals: Equals::AtLeastOne,
        spaces: Spaces::Trimmed,
        names: Names::AsWritten,
        id: Id::NotEmpty,
        others: record::Others::Ignored,
        set: Set::ExactlyLoosely,
    }),
    document: document::Rules::Lines(Lines {
        without_colon: WithoutColon::JoinsTheNext,
        version: Version::OptionalAnyCase,
        mode: ModeNeed::NoneWithout,
        number: Number::Rust,
        range: Range::Else(3_600, YEAR - 1, 86_400),
        mx: MxNeed::Always,
        spelling: Spelling::Lower,
        ..LENIENT
    }),
    matching: matching::Rules::Compared { pattern_dot: Dot::Kept, a_labels: ALabels::Matched },
    conduct: Conduct {
        media_type: MediaType::Ignored,
        size: Size::AtMost(1024 * KIB),
        status: Status::Any,
        refetch: Refetch::NewIdOnly,
        ..SUGGESTED
    },
};

/// checkdmarc, a checker of domains.
const CHECKDMARC: Profile = Profile {
    name: "checkdmarc",
    version: "6.0.4",
    role: Role::Checker,
    source: Source::Run,
    record: record::Rules::Strict { tolerates: &[Code::TrailingSpace], set: Set::Exactly },
    document: document::Rules::Strict {
        tolerates: &[Code::BlankLineAtEnd],
        refuses: &[],
        spelling: Spelling::AsWritten,
    },
    matching: matching::Rules::Strict { dot: Dot::Kept },
    conduct: Conduct { media_type: MediaType::Ignored, size: Size::Any, ..SUGGESTED },
};

/// checkdmarc before its sixth version.
const CHECKDMARC_5: Profile = Profile {
    name: "checkdmarc-5",
    version: "5.17.5",
    record: record::Rules::Pairs(Pairs {
        version: record::Version::First,
        equals: Equals::ExactlyOne,
        spaces: Spaces::Trimmed,
        names: Names::AnyCase,
        id: Id::LettersAndDigits,
        others: record::Others::Refused,
        set: Set::ExactlyLoosely,
    }),
    document: document::Rules::Lines(Lines {
        ends: Ends::Python,
        without_colon: WithoutColon::Refused,
        colons: Colons::ExactlyOne,
        others: Others::Refused,
        repeated: Repeated::Refused,
        version: Version::Optional,
        mode: ModeNeed::NoneWithout,
        number: Number::Python,
        range: Range::WithinOr(0, YEAR, 0),
        ..LENIENT
    }),
    matching: matching::Rules::Searched,
    ..CHECKDMARC
};

/// Every project, and the letter of the RFC first.
pub const PROFILES: &[Profile] = &[STRICT, CHASQUID, KUMOMTA, MADDY, MOX, POSTFIX, STALWART, CHECKDMARC, CHECKDMARC_5];

/// The projects that send mail; the RFC's letter is not among them.
pub fn senders() -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().filter(|it| it.role == Role::Sender && it.source != Source::Rfc)
}
