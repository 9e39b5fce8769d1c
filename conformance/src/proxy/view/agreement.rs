//! What rules see of a frame is what the protocol's description makes of it, and it can be had back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Heading as Direction;
use super::{text_of, view_of};
use crate::packet::spec::{self, Packet};

/// What a rule has to see; nothing where there are binary parts, or what an event or an ack has to have is missing.
fn expected(packet: Packet, to_server: bool) -> Option<Value> {
    let kind = match (packet.kind, to_server) {
        ('0', true) => "connect",
        ('0', false) => "accepted",
        ('1', _) => "disconnect",
        ('2', true) => "request",
        ('2', false) => "event",
        ('3', _) => "ack",
        ('4', _) => "refused",
        _ => return None,
    };
    let mut view = json!({"packet": kind, "namespace": packet.namespace, "id": packet.id});
    let mut args = match (packet.kind, packet.data) {
        ('2' | '3', Value::Array(args)) => args.into_iter(),
        ('2' | '3', _) => return None,
        (_, data) => {
            view["data"] = data;
            return Some(view);
        }
    };
    if packet.kind == '2' {
        view["event"] = args.next().filter(Value::is_string)?;
    }
    if let Some(data) = args.next() {
        view["data"] = data;
    }
    view["more"] = args.collect();
    Some(view)
}

proptest! {
    #![proptest_config(spec::config())]

    #[test]
    fn a_view_is_what_is_described_and_leads_back(packet in spec::packet()) {
        let frame = spec::write(&packet, "1");
        for (direction, to_server) in [(Direction::ToServer, true), (Direction::ToClient, false)] {
            let view = view_of(&frame, direction);
            if let Some(view) = &view {
                prop_assert_eq!(text_of(view), frame.as_str());
            }
            prop_assert_eq!(view, expected(packet.clone(), to_server));
        }
    }

    #[test]
    fn what_is_nearly_a_frame_is_seen_as_it_is_described(frame in spec::nearly_a_frame()) {
        let described = spec::read(&frame).and_then(|packet| expected(packet, true));
        prop_assert_eq!(view_of(&frame, Direction::ToServer), described);
    }
}
