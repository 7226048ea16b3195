//! The lab's authority with its faults: some questions are answered wrongly, late, or not at all.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Header, HeaderCounts, MessageType, Metadata, ResponseCode};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::{Catalog, MessageResponseBuilder};

use crate::scenario::fault::{DnsAction, DnsFault};

/// Zones, and what is wrong with them.
pub(super) struct Faulty {
    zones: Zones,
    faults: Vec<DnsFault>,
}

/// Zones that can be replaced while they are served.
#[derive(Clone)]
pub(super) struct Zones(Arc<RwLock<Arc<Catalog>>>);

impl Zones {
    pub(super) fn new(zones: Catalog) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(zones))))
    }

    pub(super) fn replace(&self, zones: Catalog) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(zones);
    }

    fn now(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Faulty {
    /// `zones`, answered rightly but for `faults`; the first one in file order that fits counts.
    pub(super) fn new(zones: Zones, faults: &[DnsFault]) -> Self {
        Self { zones, faults: faults.to_vec() }
    }

    fn fault(&self, request: &Request) -> Option<DnsAction> {
        let question = request.queries.queries().first()?;
        let name = question.name().to_string();
        let name = name.trim_end_matches('.');
        let kind = question.query_type().to_string();
        let fits = |fault: &&DnsFault| {
            fault.name.value.eq_ignore_ascii_case(name)
                && fault.record.as_ref().is_none_or(|record| record.word() == kind)
        };
        self.faults.iter().find(fits).map(|fault| fault.action.value)
    }
}

#[async_trait]
impl RequestHandler for Faulty {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response: R) -> ResponseInfo {
        match self.fault(request) {
            None => {}
            Some(DnsAction::Nxdomain) => return refuse(request, ResponseCode::NXDomain, response).await,
            Some(DnsAction::Servfail) => return refuse(request, ResponseCode::ServFail, response).await,
            Some(DnsAction::Refused) => return refuse(request, ResponseCode::Refused, response).await,
            Some(DnsAction::Timeout) => return nothing(request),
            Some(DnsAction::Truncate) if request.protocol() == Protocol::Udp => return cut(request, response).await,
            Some(DnsAction::Truncate) => {}
            Some(DnsAction::Delay(time)) => tokio::time::sleep(time).await,
        }
        self.zones.now().handle_request::<R, T>(request, response).await
    }
}

async fn refuse(request: &Request, code: ResponseCode, mut response: impl ResponseHandler) -> ResponseInfo {
    let message = MessageResponseBuilder::new(&request.queries, None).error_msg(&request.metadata, code);
    response.send_response(message).await.unwrap_or_else(|_| nothing(request))
}

/// TC without any records (RFC 2181 9): the client asks again over TCP.
async fn cut(request: &Request, mut response: impl ResponseHandler) -> ResponseInfo {
    let mut metadata = answer_to(request);
    metadata.truncation = true;
    // glibc takes an empty answer without authority for that of a server that knows nothing, before it looks at TC.
    metadata.authoritative = true;
    let message = MessageResponseBuilder::new(&request.queries, None).build_no_records(metadata);
    response.send_response(message).await.unwrap_or_else(|_| nothing(request))
}

/// What is logged where nothing is sent.
fn nothing(request: &Request) -> ResponseInfo {
    ResponseInfo::from(Header { metadata: answer_to(request), counts: HeaderCounts::default() })
}

fn answer_to(request: &Request) -> Metadata {
    Metadata::new(request.metadata.id, MessageType::Response, request.metadata.op_code)
}
