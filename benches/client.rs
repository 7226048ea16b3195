//! A client that measures: `client latency ADDRESS:PORT COUNT` prints the 50th and 99th percentile of the time from a NOOP to
//! its reply in microseconds, over one connection; `client hold ADDRESS:PORT COUNT` opens so many connections, says
//! `holding` when each has its greeting, and keeps them until its stdin ends.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

fn main() {
    // Cargo gives `--bench` to the program.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let address = arguments.get(1).and_then(|text| text.parse::<SocketAddr>().ok());
    let count = arguments.get(2).and_then(|text| text.parse::<usize>().ok());
    match (arguments.first().map(String::as_str), address, count) {
        (Some("latency"), Some(address), Some(count)) => latency(address, count),
        (Some("hold"), Some(address), Some(count)) => hold(address, count),
        _ => println!("usage: client latency|hold ADDRESS:PORT COUNT"),
    }
}

fn greeted(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::with_capacity(256, stream);
    reply(&mut stream);
    stream
}

fn reply(stream: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    assert!(stream.read_line(&mut line).unwrap() > 0, "closed");
}

fn latency(address: SocketAddr, count: usize) {
    let mut stream = greeted(address);
    let mut times = Vec::with_capacity(count);
    // The first ones find caches cold.
    for at in 0..count + count / 10 {
        let begun = Instant::now();
        stream.get_mut().write_all(b"NOOP\r\n").unwrap();
        reply(&mut stream);
        if at >= count / 10 {
            times.push(begun.elapsed());
        }
    }
    times.sort_unstable();
    let percentile = |of: usize| times[(times.len() * of / 100).min(times.len() - 1)].as_nanos() as f64 / 1000.0;
    println!("{:.1} {:.1}", percentile(50), percentile(99));
}

fn hold(address: SocketAddr, count: usize) {
    let held: Vec<_> = (0..count).map(|_| greeted(address)).collect();
    println!("holding");
    std::io::stdout().flush().unwrap();
    let mut rest = vec![];
    std::io::stdin().read_to_end(&mut rest).unwrap();
    drop(held);
}
