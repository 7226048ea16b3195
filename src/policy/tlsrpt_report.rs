//! Reports that senders send about TLS (RFC 8460 4): the only evidence from outside of who still
//! applies the old policy, or fails at which MX host.
//!
//! ```text
//!   JSON, or JSON in gzip ──> Report ──> failures_at(host) …
//! ```

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use super::name;

/// The most bytes of a report, after it was unpacked.
const MAX_REPORT: u64 = 16 << 20;
/// The most policies of a report, and failures of a policy, that are kept.
const MAX_ENTRIES: usize = 10_000;

/// Why a text is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// It is packed, and cannot be unpacked.
    #[error("the gzip data cannot be unpacked: {0}")]
    Gzip(String),
    /// It is larger than 16 MiB.
    #[error("it is larger than {} MiB", MAX_REPORT >> 20)]
    TooLarge,
    /// It is no JSON of a report.
    #[error("it is not a TLSRPT report: {0}")]
    NoReport(String),
}

/// One report of one sender (RFC 8460 4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct TlsrptReport {
    /// Who reports.
    pub organization_name: String,
    /// Which days it is about.
    pub date_range: DateRange,
    /// Whom to ask.
    pub contact_info: String,
    /// Its name.
    pub report_id: String,
    /// What was seen under each policy.
    pub policies: Vec<PolicyResult>,
}

/// Which time a report is about, as it is written (RFC 3339).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct DateRange {
    /// From.
    pub start_datetime: String,
    /// To.
    pub end_datetime: String,
}

/// What was seen under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct PolicyResult {
    /// The policy as the sender applied it.
    pub policy: ReportedPolicy,
    /// How often.
    pub summary: Summary,
    /// What failed.
    pub failure_details: Vec<Failure>,
}

/// The policy as the sender applied it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ReportedPolicy {
    /// `sts`, `tlsa` or `no-policy-found`.
    pub policy_type: String,
    /// Its lines.
    #[serde(deserialize_with = "one_or_many")]
    pub policy_string: Vec<String>,
    /// The domain.
    pub policy_domain: String,
    /// The patterns of MX hosts. The RFC's example has one text here, its erratum 6241 a list; both
    /// are read.
    #[serde(deserialize_with = "one_or_many")]
    pub mx_host: Vec<String>,
}

/// How many sessions there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Summary {
    /// That succeeded.
    pub total_successful_session_count: u64,
    /// That failed.
    pub total_failure_session_count: u64,
}

/// One kind of failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Failure {
    /// In the words of RFC 8460 4.3; senders may have others.
    pub result_type: String,
    /// The sender's address.
    pub sending_mta_ip: String,
    /// The MX host that failed, as its record names it.
    pub receiving_mx_hostname: String,
    /// Its address.
    pub receiving_ip: String,
    /// How often.
    pub failed_session_count: u64,
    /// What the sender adds.
    pub failure_reason_code: String,
}

/// One text, a list of texts, or nothing.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    use serde_json::Value;
    let texts = |all: Vec<Value>| all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(match Value::deserialize(from)? {
        Value::String(one) => vec![one],
        Value::Array(many) => texts(many),
        _ => vec![],
    })
}

impl TlsrptReport {
    /// Reads a report, packed with gzip or not.
    ///
    /// # Errors
    /// Where it cannot be unpacked, is too large, or is no report.
    pub fn read(bytes: &[u8]) -> Result<Self, BadReport> {
        let mut plain = vec![];
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let unpacked = MultiGzDecoder::new(bytes).take(MAX_REPORT + 1).read_to_end(&mut plain);
            unpacked.map_err(|error| BadReport::Gzip(error.to_string()))?;
        } else {
            plain.extend_from_slice(&bytes[..bytes.len().min(MAX_REPORT as usize + 1)]);
        }
        if plain.len() as u64 > MAX_REPORT {
            return Err(BadReport::TooLarge);
        }
        let plain = plain.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&plain);
        let mut report: Self = serde_json::from_slice(plain).map_err(|error| BadReport::NoReport(error.to_string()))?;
        if report.policies.is_empty() {
            return Err(BadReport::NoReport("it has no `policies`".to_owned()));
        }
        report.policies.truncate(MAX_ENTRIES);
        for policy in &mut report.policies {
            policy.failure_details.truncate(MAX_ENTRIES);
        }
        Ok(report)
    }

    /// The policies by which the sender still let `host` take mail: it has not seen the new one.
    pub fn still_covers<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a PolicyResult> {
        self.policies.iter().filter(move |it| it.policy.covers(host))
    }

    /// Every failure, with the policy that it occurred under.
    pub fn failures(&self) -> impl Iterator<Item = (&ReportedPolicy, &Failure)> {
        self.policies.iter().flat_map(|it| it.failure_details.iter().map(move |failure| (&it.policy, failure)))
    }
}

impl ReportedPolicy {
    /// Whether it is an MTA-STS policy with a pattern that covers `host`: by its lines, or, where
    /// the sender sent none, by the patterns that it names.
    pub fn covers(&self, host: &str) -> bool {
        if self.policy_type != "sts" {
            return false;
        }
        let mut lines = self.policy_string.iter().filter_map(|line| line.strip_prefix("mx:").map(str::trim)).peekable();
        if lines.peek().is_some() {
            return lines.any(|pattern| name::covers(pattern, host));
        }
        self.mx_host.iter().any(|pattern| name::covers(pattern, host))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const REPORT: &str = r#"{
      "organization-name": "Sender Inc.", "report-id": "r1", "contact-info": "tls@sender.example",
      "date-range": { "start-datetime": "2026-11-01T00:00:00Z", "end-datetime": "2026-11-01T23:59:59Z" },
      "policies": [ {
        "policy": { "policy-type": "sts", "policy-domain": "drill.example", "mx-host": "*.old.example",
                    "policy-string": ["version: STSv1", "mode: enforce", "mx: *.old.example", "max_age: 604800"] },
        "summary": { "total-successful-session-count": 5, "total-failure-session-count": 3 },
        "failure-details": [ { "result-type": "validation-failure", "sending-mta-ip": "192.0.2.1",
                               "receiving-mx-hostname": "mx1.new.example", "failed-session-count": 3 } ] } ] }"#;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(bytes).expect("packed");
        gzip.finish().expect("packed")
    }

    #[test]
    fn a_report_says_who_still_applies_the_old_policy_and_what_fails() {
        for bytes in [REPORT.as_bytes().to_vec(), packed(REPORT.as_bytes())] {
            let report = TlsrptReport::read(&bytes).expect("a report");
            assert_eq!(report.organization_name, "Sender Inc.");
            assert_eq!(report.still_covers("mx.old.example").count(), 1);
            assert_eq!(report.still_covers("mx1.new.example").count(), 0);
            let (policy, failure) = report.failures().next().expect("a failure");
            assert_eq!((policy.policy_domain.as_str(), failure.failed_session_count), ("drill.example", 3));
            assert_eq!(failure.receiving_mx_hostname, "mx1.new.example");
        }
    }

    #[test]
    fn the_mx_host_is_a_text_or_a_list() {
        let listed =
            REPORT.replace("\"*.old.example\",\n", "[\"mx.old.example\"],\n").replace("\"mx: *.old.example\", ", "");
        let report = TlsrptReport::read(listed.as_bytes()).expect("a report");
        assert_eq!(report.policies[0].policy.mx_host, ["mx.old.example"]);
        assert_eq!(report.still_covers("mx.old.example").count(), 1);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(matches!(TlsrptReport::read(b"{}"), Err(BadReport::NoReport(_))));
        assert!(matches!(TlsrptReport::read(b"\x1f\x8bnothing"), Err(BadReport::Gzip(_))));
        let bomb = packed(&vec![b' '; (MAX_REPORT + 10) as usize]);
        assert_eq!(TlsrptReport::read(&bomb), Err(BadReport::TooLarge));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(at in 0..REPORT.len(), piece in proptest::collection::vec(any::<u8>(), 0..8)) {
            let mut bytes = REPORT.as_bytes().to_vec();
            bytes.splice(at..(at + piece.len()).min(REPORT.len()), piece);
            let _ = TlsrptReport::read(&bytes);
            let mut gzip = packed(&bytes);
            gzip.truncate(at % gzip.len());
            prop_assert!(TlsrptReport::read(&gzip).is_err());
        }
    }
}
