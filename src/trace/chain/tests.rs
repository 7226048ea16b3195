//! Chains that are true, and chains that somebody made up.

use proptest::prelude::*;

use super::{TracedMessage, messages_in, render, trace};
use crate::inventory::{self, Inventory};
use crate::record::Trust;
use crate::source::SourceText;

const INVENTORY: &str = "\
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example], networks: [192.0.2.0/28] }
  legacy: { hosts: [mx.old.example], networks: [198.51.100.0/28] }
  spool: { hosts: [mx.spool.example], networks: [203.0.113.9], role: transit }
";

fn inventory() -> Inventory {
    inventory::load(&SourceText::new("inventory.yaml", INVENTORY)).expect("an inventory").0
}

fn traced(headers: &[&str]) -> TracedMessage {
    let block: String = headers.iter().map(|it| format!("Received: {it}\r\n")).collect();
    trace(format!("{block}Message-ID: <a@b>\r\n\r\nbody").as_bytes(), "m.eml", &inventory())
}

/// Who took it and what that is worth, newest first as the headers are given.
fn worth(headers: &[&str]) -> Vec<(String, Trust)> {
    let mut path = traced(headers).path;
    path.reverse();
    path.into_iter().map(|hop| (hop.by.unwrap_or_default(), hop.trust)).collect()
}

fn expected(steps: &[(&str, Trust)]) -> Vec<(String, Trust)> {
    steps.iter().map(|(by, trust)| ((*by).to_owned(), *trust)).collect()
}

const DOOR: &str = "from mx.spool.example (mx.spool.example [203.0.113.9]) by mx1.new.example (Postfix) with ESMTPS id A1; Sat, 21 Nov 2026 05:42:30 +0000";
const SPOOL: &str = "from probe.example (unknown [192.0.2.200]) by mx.spool.example (Postfix) with ESMTP id S1; Sat, 21 Nov 2026 05:42:24 +0000";
const OLD: &str = "from app.example ([192.0.2.201]) by mx.old.example with esmtp (Exim 4.96) id 1tD-1; Sat, 21 Nov 2026 05:42:20 +0000";

#[test]
fn a_chain_is_proven_down_to_the_first_stranger() {
    use Trust::{Claimed, Proven};
    let steps = [("mx1.new.example", Proven), ("mx.spool.example", Proven), ("mx.old.example", Claimed)];
    assert_eq!(worth(&[DOOR, SPOOL, OLD]), expected(&steps));
    let hops = traced(&[DOOR, SPOOL, OLD]).path;
    assert_eq!(hops[2].platform.as_deref(), Some("new"));
    assert_eq!((hops[2].delay_s, hops[1].delay_s, hops[0].delay_s), (Some(6), Some(4), None));
    assert!(hops[0].why.contains("192.0.2.200"), "{}", hops[0].why);
}

#[test]
fn headers_that_a_sender_made_up_are_not_trusted() {
    use Trust::{Claimed, Proven};
    let stranger = "from mx.old.example (stranger.example [192.0.2.99]) by mx1.new.example (Postfix) with ESMTP id A1; Sat, 21 Nov 2026 05:42:30 +0000";
    // The legacy relay's own name, in HELO and in a header below: a claim.
    assert_eq!(worth(&[stranger, OLD])[1], ("mx.old.example".to_owned(), Claimed));
    // The new platform's own name below a stranger.
    let forged = "from x (mx.old.example [198.51.100.1]) by mx2.new.example (Postfix) with ESMTP id F1; Sat, 21 Nov 2026 05:42:29 +0000";
    let steps = [("mx1.new.example", Proven), ("mx2.new.example", Claimed), ("mx.old.example", Claimed)];
    assert_eq!(worth(&[stranger, forged, OLD]), expected(&steps));
    // An address of ours inside of a comment that the client chose: HELO is no witness.
    let helo = "from [198.51.100.1] (unknown [192.0.2.99]) by mx1.new.example (Postfix) with ESMTP id A1; x";
    assert_eq!(worth(&[helo, OLD])[1].1, Claimed);
    let name = "from mx.old.example (mx.old.example [192.0.2.99] (may be forged)) by mx1.new.example (8.18.1/8.18.1) with ESMTP id A1; x";
    assert_eq!(worth(&[name, OLD])[1].1, Claimed);
}

#[test]
fn a_gap_or_a_header_that_cannot_be_read_ends_the_proof() {
    use Trust::{Claimed, Proven};
    // The spool was seen, and the header below is of another host: something is missing.
    assert_eq!(worth(&[DOOR, OLD]), expected(&[("mx1.new.example", Proven), ("mx.old.example", Claimed)]));
    assert_eq!(worth(&[DOOR, "what is this", SPOOL])[2].1, Claimed);
    // Nobody of the inventory wrote the newest header.
    let elsewhere = "from a (a.example [203.0.113.9]) by store.isp.example with ESMTP id 1; x";
    assert!(worth(&[elsewhere, SPOOL]).iter().all(|(_, trust)| *trust == Claimed));
    assert!(worth(&[]).is_empty());
}

#[test]
fn steps_inside_of_a_host_are_trusted_with_it() {
    use Trust::Proven;
    let lmtp = "from mx1.new.example by mx1.new.example with LMTP id x/Y (envelope-from <a@b>); Sat, 21 Nov 2026 05:42:31 +0000";
    let filter = "from localhost (localhost [127.0.0.1]) by mx1.new.example (Postfix) with ESMTP id A2; x";
    let amavis = "from mx1.new.example ([127.0.0.1]) by localhost (mx1.new.example [127.0.0.1]) (amavis, port 10024) with ESMTP id B; x";
    let worth = worth(&[lmtp, filter, amavis, DOOR, SPOOL]);
    assert!(worth.iter().all(|(_, trust)| *trust == Proven), "{worth:?}");
}

#[test]
fn services_are_known_by_addresses_that_a_trusted_writer_saw() {
    use Trust::{Claimed, Proven};
    let google = "from mail-ej1-f1.google.com (mail-ej1-f1.google.com [209.85.218.41]) by mx1.new.example (Postfix) with ESMTPS id A1; x";
    let inner = "by mail-ej1-f1.google.com with SMTP id a640c23a62f3a-b1; x";
    assert_eq!(worth(&[google, inner])[1].1, Proven);
    let not = google.replace("209.85.218.41", "192.0.2.99").replace("(mail-ej1-f1.google.com", "(unknown");
    assert_eq!(worth(&[&not, inner])[1].1, Claimed);
}

#[test]
fn submission_is_where_a_message_begins() {
    let local = "by mx1.new.example (Postfix, from userid 1000) id 9F; Sat, 21 Nov 2026 05:42:24 +0000";
    let worth = worth(&[local, OLD]);
    assert_eq!((worth[0].1, worth[1].1), (Trust::Proven, Trust::Claimed));
}

#[test]
fn a_path_is_shown_hop_by_hop() {
    let text = render(&traced(&[DOOR, SPOOL]));
    let expected = "\
a@b
  in m.eml
  1  [192.0.2.200], which calls itself probe.example, -> mx.spool.example
     platform spool  ESMTP  id S1  Postfix  2026-11-21T05:42:24Z
     proven: mx1.new.example took the message from mx.spool.example [203.0.113.9], which is of `spool`
  2  mx.spool.example [203.0.113.9] -> mx1.new.example
     platform new  ESMTPS  id A1  Postfix  2026-11-21T05:42:30Z  +6 s
     proven: it is the newest header, written by mx1.new.example of `new` as the message came to rest
";
    assert_eq!(text, expected);
}

#[test]
fn an_mbox_file_holds_several_messages() {
    let mbox =
        b"From a Sat Nov 21 05:16:35 2026\nA: 1\n\nFrom here on\n>From x\n\nFrom b Sat Nov 21 05:16:36 2026\nA: 2\n";
    let found: Vec<(usize, String)> =
        messages_in(mbox).into_iter().map(|(line, text)| (line, String::from_utf8_lossy(text).into_owned())).collect();
    assert_eq!(found.len(), 3, "a line that is not escaped begins one, as for every reader");
    assert_eq!((found[0].0, found[2].0), (1, 7));
    assert_eq!(messages_in(b"A: 1\n\nbody").len(), 1);
    assert_eq!(messages_in(b"").len(), 1);
}

proptest! {
    /// Whatever stands below a stranger, nothing there is proven.
    #[test]
    fn nothing_below_a_stranger_is_proven(below in proptest::collection::vec(
        prop_oneof![Just(DOOR.to_owned()), Just(SPOOL.to_owned()), Just(OLD.to_owned()), "\\PC{0,80}"], 0..6)) {
        let stranger = "from x (x.example [192.0.2.99]) by mx1.new.example (Postfix) with ESMTP id A1; x";
        let all: Vec<&str> = std::iter::once(stranger).chain(below.iter().map(String::as_str)).collect();
        prop_assert!(worth(&all).into_iter().skip(1).all(|(_, trust)| trust == Trust::Claimed));
    }
}
