//! Commands that send mail and are told through which host: in scripts, crontabs and units.

/// What a command line looks like that sends through a host it names.
const SENDERS: &[(&str, &[&str])] = &[
    ("swaks", &["--server", "-s "]),
    ("msmtp", &["--host", "-h "]),
    ("curl", &["smtp://", "smtps://"]),
    ("sendemail", &["-s "]),
    ("mail", &["smtp=", "mta="]),
    ("mailx", &["smtp=", "mta="]),
    ("s-nail", &["smtp=", "mta="]),
    ("ssmtp", &["-o"]),
    ("blat", &["-server"]),
    ("send-mailmessage", &["-smtpserver"]),
    ("git", &["--smtp-server"]),
    ("iptables", &["--to-destination"]),
    ("-a", &["--to-destination"]),
    ("-j", &["--to-destination"]),
    ("dnat", &["to "]),
];

/// Ports of mail, one of which a redirected connection must be to.
const PORTS: &[&str] = &["25", "465", "587"];

/// The command that a line sends mail with, if it names a host to send through.
pub(crate) fn sends(line: &str) -> Option<&'static str> {
    let lower = line.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || matches!(c, '|' | ';' | '&' | '(' | '`' | '"' | '\'')).collect();
    let found = SENDERS.iter().find(|(program, options)| {
        let called = words.iter().any(|word| word.rsplit('/').next() == Some(program));
        called && options.iter().any(|option| lower.contains(option))
    });
    let (program, options) = found?;
    if options.contains(&"--to-destination") || *program == "dnat" {
        let numbers = lower.split(|c: char| !c.is_ascii_digit()).any(|word| PORTS.contains(&word));
        return numbers.then_some("redirection of a port");
    }
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::sends;

    #[test]
    fn commands_that_name_a_host() {
        assert_eq!(sends("0 3 * * * root echo x | mail -S smtp=mx.old.example:25 a@b"), Some("mail"));
        assert_eq!(sends("/usr/bin/swaks --server mx.old.example --to a@b"), Some("swaks"));
        assert_eq!(
            sends("-A OUTPUT -p tcp --dport 25 -j DNAT --to-destination 10.0.0.5:25"),
            Some("redirection of a port")
        );
        assert_eq!(sends("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5:80"), None);
        assert_eq!(sends("MAILTO=root@mx.old.example"), None);
        assert_eq!(sends("ping mx.old.example # mail"), None);
    }
}
