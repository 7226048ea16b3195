//! The parameters of MAIL and RCPT that the server knows.

/// Checks the parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC
/// 6531), RET and ENVID (RFC 3461). Gives the announced size.
///
/// # Errors
/// The reply to what is not known.
pub(super) fn of_mail(text: &str) -> Result<Option<u64>, &'static [u8]> {
    let mut size = None;
    for word in text.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        let is = |known: &str| keyword.eq_ignore_ascii_case(known);
        let one_of = |values: &[&str]| values.iter().any(|known| value.eq_ignore_ascii_case(known));
        match keyword {
            _ if is("SIZE") => size = Some(value.parse().map_err(|_| BAD_VALUE)?),
            _ if is("BODY") && one_of(&["7BIT", "8BITMIME", "BINARYMIME"]) => {}
            _ if is("SMTPUTF8") && value.is_empty() => {}
            _ if is("RET") && one_of(&["FULL", "HDRS"]) => {}
            _ if is("ENVID") && !value.is_empty() => {}
            _ if is("BODY") || is("RET") || is("ENVID") || is("SMTPUTF8") => return Err(BAD_VALUE),
            _ => return Err(UNKNOWN),
        }
    }
    Ok(size)
}

/// Checks the parameters of RCPT: NOTIFY and ORCPT (RFC 3461).
///
/// # Errors
/// The reply to what is not known.
pub(super) fn of_rcpt(text: &str) -> Result<(), &'static [u8]> {
    for word in text.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        if !(keyword.eq_ignore_ascii_case("NOTIFY") || keyword.eq_ignore_ascii_case("ORCPT")) {
            return Err(UNKNOWN);
        }
        if value.is_empty() {
            return Err(BAD_VALUE);
        }
    }
    Ok(())
}

const BAD_VALUE: &[u8] = b"501 5.5.4 a parameter has no such value\r\n";
const UNKNOWN: &[u8] = b"555 5.5.4 a parameter is not known\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_parameters_are_taken_and_others_are_not() {
        assert_eq!(of_mail("SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x SMTPUTF8"), Ok(Some(100)));
        assert_eq!(of_mail(""), Ok(None));
        assert_eq!(of_mail("SIZE=x"), Err(BAD_VALUE));
        assert_eq!(of_mail("BODY=9BIT"), Err(BAD_VALUE));
        assert_eq!(of_mail("XFOO=1"), Err(UNKNOWN));
        assert_eq!(of_rcpt("NOTIFY=NEVER ORCPT=rfc822;a@b"), Ok(()));
        assert_eq!(of_rcpt("SIZE=1"), Err(UNKNOWN));
    }
}
