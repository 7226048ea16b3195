//! What is in force, and until when, on a paused clock.

use super::*;
use crate::mail::Stage;
use crate::proxy::Limits;
use crate::proxy::announce::Introduction;
use crate::scenario::standing::{from_line, from_text};
use crate::source::SourceText;
use crate::terms::Smuggling;
use crate::world::{Clock, Dice};

const MINUTE: Duration = Duration::from_secs(60);

async fn stand(lease: Option<Duration>) -> Arc<Stand> {
    let listener = |host: &str| Listener {
        listen: "127.0.0.1:0".parse().expect("an address"),
        upstream: "127.0.0.1:9".parse::<SocketAddr>().expect("an address").into(),
        host: host.to_owned(),
        introduction: Introduction::None,
        balancers: vec![],
    };
    let settings = StandSettings {
        smuggling: Smuggling::Pass,
        listeners: vec![listener("a.test"), listener("b.test")],
        dice: Dice::new(7),
        clock: Clock::starting_at(jiff::Timestamp::UNIX_EPOCH),
        tls: None,
        limits: Limits::default(),
        lease,
    };
    Stand::start(settings).await.expect("it starts")
}

fn faults(stand: &Stand, lines: &[&str]) -> Vec<Standing> {
    let one = |line: &&str| from_line(&SourceText::new("line", *line), &stand.hosts()).expect("a fault").faults;
    lines.iter().flat_map(one).collect()
}

fn ids(stand: &Stand) -> Vec<usize> {
    stand.faults().iter().map(|held| held.id).collect()
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_api_lift_themselves_and_those_of_the_command_line_stay() {
    let stand = stand(None).await;
    stand.add(faults(&stand, &["at=rcpt do=close host=a.test"]), Origin::CommandLine).await.expect("raised");
    let lines = ["at=mail do=close host=a.test", "at=data do=close host=b.test lease=1m"];
    stand.add(faults(&stand, &lines), Origin::Control).await.expect("raised");
    assert_eq!(ids(&stand), [1, 2, 3]);
    tokio::time::sleep(MINUTE + Duration::from_millis(1)).await;
    assert_eq!(ids(&stand), [1, 2], "its own lease");
    tokio::time::sleep(API_LEASE - MINUTE).await;
    assert_eq!(ids(&stand), [1], "that of the API");
    tokio::time::sleep(100 * API_LEASE).await;
    assert_eq!(ids(&stand), [1]);
}

#[tokio::test(start_paused = true)]
async fn who_renews_keeps_a_fault_and_who_disappears_loses_it() {
    let stand = stand(Some(MINUTE)).await;
    let lines = ["at=mail do=close host=a.test", "at=rcpt do=close host=a.test"];
    stand.add(faults(&stand, &lines), Origin::Control).await.expect("raised");
    for _ in 0..5 {
        tokio::time::sleep(MINUTE / 2).await;
        let renewed = stand.renew(Some(2)).await.expect("renewed");
        assert_eq!(renewed[0].left_seconds, Some(60.0));
    }
    assert_eq!(ids(&stand), [2]);
    tokio::time::sleep(MINUTE + Duration::from_millis(1)).await;
    assert!(ids(&stand).is_empty());
    assert!(stand.renew(None).await.expect("nothing").is_empty());
}

#[tokio::test]
async fn what_one_host_cannot_do_is_done_at_none() {
    let stand = stand(None).await;
    stand.add(faults(&stand, &["at=rcpt do=close host=a.test"]), Origin::Config).await.expect("raised");
    let mut wrong = faults(&stand, &["at=mail do=close host=a.test", "at=data do=delay:1s host=b.test"]);
    wrong[1].fault.at.value = Stage::Body;
    let error = stand.replace(wrong, Origin::Control).await.expect_err("it cannot be");
    assert_eq!(error.to_string(), "`delay` cannot be at `body`");
    assert_eq!(ids(&stand), [1], "as before");
    assert_eq!(stand.hosts[0].proxy.shared.rules.borrow().before_accept().count(), 0);
    assert!(stand.hosts[0].proxy.shared.rules.borrow().at_any(&[Stage::Rcpt]));
    assert!(!stand.hosts[0].proxy.shared.rules.borrow().at_any(&[Stage::Mail]));
}

#[tokio::test]
async fn a_file_read_again_leaves_faults_of_others_alone() {
    let stand = stand(None).await;
    for (line, origin) in [
        ("at=rcpt do=close host=a.test", Origin::CommandLine),
        ("at=mail do=close host=a.test", Origin::Config),
        ("at=data do=close host=a.test", Origin::Control),
    ] {
        stand.add(faults(&stand, &[line]), origin).await.expect("raised");
    }
    stand.replace(faults(&stand, &["at=eom do=close host=b.test"]), Origin::Config).await.expect("replaced");
    assert_eq!(ids(&stand), [1, 3, 4]);
    stand.replace(vec![], Origin::Control).await.expect("replaced");
    assert!(ids(&stand).is_empty(), "the API has the last word");
}

#[tokio::test]
async fn there_is_an_end_to_the_number_of_faults() {
    let stand = stand(None).await;
    let text = format!("[{}]", "{ host: a.test, at: rcpt, do: close, when: { first: 1 } },".repeat(MOST_FAULTS));
    let read = from_text(&SourceText::new("body", text), &stand.hosts()).expect("faults");
    stand.add(read.faults.clone(), Origin::Control).await.expect("raised");
    let error = stand.add(read.faults[..1].to_vec(), Origin::Control).await.expect_err("too many");
    assert!(matches!(error, StandError::TooMany));
}
