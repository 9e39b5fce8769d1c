use std::time::Duration;

use super::*;
use crate::load::plan::LoadOptions;
use crate::targets::profile::Limits;

/// Two rooms of three; messages 0, 2 and 4 are of room 0, and 0 and 6 of its first member.
struct Fixture {
    ledger: Ledger,
    heard: HashMap<(u32, u32), Progress>,
}

impl Fixture {
    fn new() -> Self {
        let wanted = LoadOptions {
            rooms: 2,
            room_size: 3,
            rate: 4.0,
            duration: Duration::from_secs(6),
            ..LoadOptions::default()
        };
        let plan = Arc::new(Plan::new(wanted, &Limits::default()).unwrap());
        let room = |n: u32| Room {
            chat: format!("chat{n}"),
            users: (0..3).map(|m| format!("user{n}{m}")).collect(),
        };
        Self {
            ledger: Ledger::new(plan, vec![room(0), room(1)]),
            heard: HashMap::new(),
        }
    }

    /// Sent, with all acks before it, and acknowledged.
    fn send(&self, number: u32) {
        let seq = self.ledger.plan.place(number).seq;
        self.ledger.sent(number, seq);
        self.ledger.acked(number, Some(&id(number)));
    }

    fn arrives(&mut self, number: u32, place: u32) -> Option<u32> {
        let room = self.ledger.plan.place(number).room;
        self.arrives_as(number, Member { room, place }, |_| {})
    }

    fn arrives_as(
        &mut self,
        number: u32,
        at: Member,
        change: impl FnOnce(&mut Delivered<'_>),
    ) -> Option<u32> {
        let MessagePosition { room, sender, .. } = self.ledger.plan.place(number);
        let mut message = Delivered {
            id: id(number).into(),
            chat: format!("chat{room}").into(),
            sender: format!("user{room}{sender}").into(),
            body: self.ledger.plan.body(number).into(),
        };
        change(&mut message);
        let progress = self
            .heard
            .entry((at.room, at.place))
            .or_insert_with(|| self.ledger.progress());
        self.ledger.arrived(at, progress, &message)
    }

    fn arrives_everywhere(&mut self, number: u32) {
        for place in 0..3 {
            assert_eq!(self.arrives(number, place), Some(number));
        }
    }

    fn faults(&self) -> Vec<(FaultKind, String)> {
        let told = self.ledger.judge(true).1.told;
        told.into_iter().map(|fault| (fault.kind, fault.text)).collect()
    }

    /// There is this fault and no other.
    #[track_caller]
    fn one(&self, kind: FaultKind, text: &str) {
        let faults = self.faults();
        assert!(
            matches!(faults.as_slice(), [(k, told)] if *k == kind && told.contains(text)),
            "{faults:?}"
        );
    }
}

fn id(number: u32) -> String {
    format!("id-{number}")
}

const FIRST: Member = Member { room: 0, place: 0 };

#[test]
fn what_arrives_once_everywhere_in_order_is_well() {
    let mut fixture = Fixture::new();
    for number in 0..24 {
        fixture.send(number);
        fixture.arrives_everywhere(number);
    }
    assert_eq!(fixture.ledger.open(), Open::default());
    let (counts, faults) = fixture.ledger.judge(true);
    assert_eq!(faults, Faults::default());
    assert_eq!(
        (
            counts.planned,
            counts.sent,
            counts.acked,
            counts.due,
            counts.delivered
        ),
        (24, 24, 24, 72, 72)
    );
}

#[test]
fn what_does_not_arrive_is_lost_where_it_was_acknowledged() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives(0, 0);
    fixture.arrives(0, 2);
    // Without an ack it need not arrive.
    fixture.ledger.sent(2, 0);
    assert_eq!(
        fixture.ledger.open(),
        Open {
            unanswered: 1,
            missing: 1
        }
    );
    fixture.one(FaultKind::Lost, "never arrived at member 1 of room 0");
    let counts = fixture.ledger.judge(true).0;
    assert_eq!((counts.due, counts.delivered, counts.unanswered), (3, 2, 1));
}

#[test]
fn what_was_not_waited_for_to_the_end_is_not_lost() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives(0, 0);
    let (counts, faults) = fixture.ledger.judge(false);
    assert_eq!((counts.due, counts.delivered, counts.undecided), (3, 1, 2));
    assert_eq!(faults, Faults::default());
}

#[test]
fn what_arrives_twice_is_doubled() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives_everywhere(0);
    assert_eq!(fixture.arrives(0, 1), None);
    fixture.one(FaultKind::Doubled, "member 1 of room 0 once more");
    assert_eq!(fixture.ledger.judge(true).0.delivered, 3);
}

#[test]
fn what_was_sent_after_an_ack_arrives_behind_what_the_ack_was_for() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.send(6);
    fixture.arrives(6, 1);
    fixture.arrives(0, 1);
    for place in [0, 2] {
        fixture.arrives(0, place);
        fixture.arrives(6, place);
    }
    fixture.one(
        FaultKind::OutOfOrder,
        ":0:0:0 arrives at member 1 of room 0 behind",
    );
    assert_eq!(fixture.ledger.judge(true).0.overtaken, 0);
}

#[test]
fn what_was_sent_before_the_ack_may_overtake() {
    let mut fixture = Fixture::new();
    fixture.ledger.sent(0, 0);
    fixture.ledger.sent(6, 0);
    for number in [0, 6] {
        fixture.ledger.acked(number, Some(&id(number)));
    }
    fixture.arrives_everywhere(6);
    fixture.arrives_everywhere(0);
    assert_eq!(fixture.faults(), []);
    assert_eq!(fixture.ledger.judge(true).0.overtaken, 3);
}

#[test]
fn order_is_judged_for_each_sender_alone() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.send(2);
    fixture.arrives_everywhere(2);
    fixture.arrives_everywhere(0);
    assert_eq!(fixture.faults(), []);
}

#[test]
fn what_nobody_sent_is_invented() {
    type Change = fn(&mut Delivered<'_>);
    let changes: [(Change, &str); 4] = [
        (|message| message.body = "hello".into(), "a body that nobody sent"),
        (
            |message| message.body.to_mut().push('.'),
            "a body that nobody sent",
        ),
        (|message| message.chat = "chat1".into(), "another room"),
        (|message| message.sender = "user01".into(), "one of user01"),
    ];
    for (change, told) in changes {
        let mut fixture = Fixture::new();
        fixture.send(0);
        fixture.arrives_everywhere(0);
        assert_eq!(fixture.arrives_as(0, FIRST, change), None);
        fixture.one(FaultKind::Invented, told);
    }
    let mut fixture = Fixture::new();
    assert_eq!(fixture.arrives(0, 0), None);
    fixture.one(FaultKind::Invented, "nobody has sent yet");
}

#[test]
fn what_arrives_in_another_room_is_invented() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives_everywhere(0);
    fixture.arrives_as(0, Member { room: 1, place: 0 }, |_| {});
    fixture.one(FaultKind::Invented, "member 0 of room 1: message");
}

#[test]
fn what_was_refused_must_not_arrive_but_what_failed_may() {
    let mut fixture = Fixture::new();
    fixture.ledger.sent(0, 0);
    fixture.ledger.refused(0, "RATE_LIMITED");
    fixture.ledger.sent(2, 0);
    fixture.ledger.refused(2, INTERNAL);
    fixture.arrives(0, 1);
    fixture.arrives(2, 1);
    fixture.one(
        FaultKind::Invented,
        "was refused and arrived at member 1 of room 0",
    );
    let refused = fixture.ledger.judge(true).0.refused;
    assert_eq!(
        refused.into_iter().collect::<Vec<_>>(),
        [(INTERNAL.to_owned(), 1), ("RATE_LIMITED".to_owned(), 1)]
    );
}

#[test]
fn a_repeat_has_the_id_of_the_first() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives_everywhere(0);
    fixture.ledger.repeated();
    fixture.ledger.acked(0, Some(&id(0)));
    assert_eq!(fixture.faults(), []);
    fixture.ledger.acked(0, Some("id-other"));
    fixture.one(FaultKind::Ids, "its ack says id-other");
    assert_eq!(fixture.ledger.judge(true).0.acked, 1);
}

#[test]
fn ids_are_the_same_everywhere_and_no_other_messages() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives_as(0, FIRST, |message| message.id = "id-other".into());
    fixture.arrives(0, 1);
    fixture.arrives(0, 2);
    fixture.one(FaultKind::Ids, "arrives at member 0 of room 0 as id-other");

    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.ledger.sent(2, 0);
    fixture.ledger.acked(2, Some(&id(0)));
    fixture.arrives_everywhere(0);
    for place in 0..3 {
        fixture.arrives_as(2, Member { room: 0, place }, |message| message.id = id(0).into());
    }
    fixture.one(FaultKind::Ids, "has the id of message");

    let fixture = Fixture::new();
    fixture.ledger.sent(0, 0);
    fixture.ledger.acked(0, None);
    assert_eq!(fixture.faults()[0].0, FaultKind::Ids);
}

#[test]
fn what_a_lost_connection_missed_is_not_judged() {
    let mut fixture = Fixture::new();
    fixture.send(0);
    fixture.arrives(0, 1);
    fixture.arrives(0, 2);
    fixture.ledger.sent(6, 1);
    fixture.ledger.gone(FIRST);
    assert_eq!(fixture.ledger.open(), Open::default());
    assert_eq!(fixture.faults(), []);
    let counts = fixture.ledger.judge(true).0;
    assert_eq!((counts.due, counts.cut_off, counts.unanswered), (2, 1, 0));
}
