//! For tests: packets read and written straight from the description of the Socket.IO protocol, and by none of the code that
//! is tested. An Engine.IO message begins with `4`; the packet in it is
//!
//! ```text
//! <type>[<number of attachments>-][<namespace>,][<ack id>][<JSON>]
//! ```

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use regex::Regex;
use serde_json::{Map, Value, json};

static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    let kind = r"(?:(?<plain>[0-4])|(?<binary>[56])\d+-)";
    let namespace = r"(?:(?<namespace>/[^,?]*)(?:\?[^,]*)?(?:,|$))?";
    Regex::new(&format!(r"(?s)^4{kind}{namespace}(?<id>\d+)?(?<json>.*)$")).unwrap()
});

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packet {
    pub(crate) kind: char,
    pub(crate) namespace: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

impl Packet {
    /// Its arguments, where it is an event or an ack, and those are a list.
    pub(crate) fn args(&self) -> Option<&[Value]> {
        self.data.as_array().map(Vec::as_slice)
    }
}

/// The packet in a frame, if there is one.
pub(crate) fn read(frame: &str) -> Option<Packet> {
    let parts = FRAME.captures(frame)?;
    let kind = parts.name("plain").or_else(|| parts.name("binary"))?;
    Some(Packet {
        kind: kind.as_str().chars().next()?,
        namespace: parts
            .name("namespace")
            .map_or("/", |part| part.as_str())
            .to_owned(),
        id: parts.name("id").and_then(|part| part.as_str().parse().ok()),
        data: match &parts["json"] {
            "" => Value::Null,
            json => serde_json::from_str(json).ok()?,
        },
    })
}

/// The frame of a packet; one that is binary has as many attachments as there are digits here.
pub(crate) fn write(packet: &Packet, attachments: &str) -> String {
    let mut frame = format!("4{}", packet.kind);
    if matches!(packet.kind, '5' | '6') {
        frame += attachments;
        frame += "-";
    }
    if packet.namespace != "/" {
        frame += &packet.namespace;
        frame += ",";
    }
    if let Some(id) = packet.id {
        frame += &id.to_string();
    }
    if !packet.data.is_null() {
        frame += &packet.data.to_string();
    }
    frame
}

/// The same few cases each time.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            fields(inner).prop_map(Value::from),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-z/~]{0,3}", value), 0..3).prop_map(|fields| fields.into_iter().collect())
}

/// A packet as the protocol allows it.
pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    let namespace = prop_oneof![Just("/".to_owned()), "/[a-z-]{0,4}"];
    let args = || prop::collection::vec(json_value(), 0..3);
    let object = || fields(json_value()).prop_map(Value::from);
    let event = (any::<String>(), args()).prop_map(|(name, args)| {
        let named = std::iter::once(Value::from(name)).chain(args);
        named.collect::<Value>()
    });
    let content = prop_oneof![
        prop_oneof![Just(Value::Null), object()].prop_map(|data| ('0', None, data)),
        Just(('1', None, Value::Null)),
        (prop_oneof![Just('2'), Just('5')], any::<Option<u64>>(), event),
        (
            prop_oneof![Just('3'), Just('6')],
            any::<u64>().prop_map(Some),
            args().prop_map(Value::from)
        ),
        prop_oneof![
            object(),
            any::<String>().prop_map(|text| json!({"message": text}))
        ]
        .prop_map(|data| ('4', None, data)),
    ];
    (namespace, content).prop_map(|(namespace, (kind, id, data))| Packet {
        kind,
        namespace,
        id,
        data,
    })
}

/// What looks like a frame, and mostly is none.
pub(crate) fn nearly_a_frame() -> impl Strategy<Value = String> {
    let json = prop_oneof![
        4 => json_value().prop_map(|value| json!(["name", value]).to_string()),
        2 => json_value().prop_map(|value| value.to_string()),
        1 => r#"[\[\]{}",:0-9a-]{0,6}"#,
    ];
    let attachments = prop_oneof![3 => Just(String::new()), 2 => "[0-9]{1,2}-", 1 => "[+a]?-"];
    let namespace =
        prop_oneof![3 => Just(String::new()), 2 => "/[a-z]{0,2}(\\?a=[b-]?)?,?", 1 => Just(",".to_owned())];
    let id = prop_oneof![Just(String::new()), "[0-9]{1,18}"];
    ("[0-7é]", attachments, namespace, id, json).prop_map(|(kind, attachments, namespace, id, json)| {
        format!("4{kind}{attachments}{namespace}{id}{json}")
    })
}
