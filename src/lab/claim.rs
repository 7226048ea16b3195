//! The number of a lab on this machine, so that labs side by side do not get in each other's way.

use std::net::{Ipv4Addr, UdpSocket};

use super::LabError;

/// How many labs can be up on one machine.
const LABS: u8 = 255;
/// The UDP port of lab 0 that holds its number; it is bound, nothing is ever sent.
const FIRST: u16 = 27_000;

/// A number that no other lab of this machine has while it is held. A bound UDP socket is
/// exclusive on every system and is free again however the process ends.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) number: u8,
    _socket: UdpSocket,
}

impl Claim {
    /// The lowest number that is free.
    pub(super) fn take() -> Result<Self, LabError> {
        (0..LABS)
            .find_map(|number| {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, FIRST + u16::from(number))).ok()?;
                Some(Self { number, _socket: socket })
            })
            .ok_or(LabError::TooMany(usize::from(LABS)))
    }

    /// Ports that belong to this number where hosts are told apart by port: below those that
    /// systems give to clients.
    pub(super) fn ports(&self) -> std::ops::RangeInclusive<u16> {
        let first = 10_000 + u16::from(self.number) * 64;
        first..=first + 63
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_labs_have_two_numbers_and_no_port_in_common() {
        let (one, two) = (Claim::take().expect("a number"), Claim::take().expect("a number"));
        assert_ne!(one.number, two.number);
        assert!(!two.ports().contains(one.ports().start()));
    }
}
