use std::time::Duration;

use super::*;
use crate::load::plan::Wanted;
use crate::targets::profile::Limits;

/// Two rooms of three; messages 0, 2 and 4 are of room 0, and 0 and 6 of its first member.
struct Bench {
    ledger: Ledger,
    heard: HashMap<(u32, u32), Progress>,
}

impl Bench {
    fn new() -> Self {
        let wanted = Wanted {
            rooms: 2,
            room_size: 3,
            rate: 4.0,
            duration: Duration::from_secs(6),
            ..Wanted::default()
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
        let Place { room, sender, .. } = self.ledger.plan.place(number);
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

    fn faults(&self) -> Vec<(Kind, String)> {
        let told = self.ledger.judge(true).1.told;
        told.into_iter().map(|fault| (fault.kind, fault.text)).collect()
    }

    /// There is this fault and no other.
    #[track_caller]
    fn one(&self, kind: Kind, text: &str) {
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
    let mut bench = Bench::new();
    for number in 0..24 {
        bench.send(number);
        bench.arrives_everywhere(number);
    }
    assert_eq!(bench.ledger.open(), Open::default());
    let (counts, faults) = bench.ledger.judge(true);
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
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives(0, 0);
    bench.arrives(0, 2);
    // Without an ack it need not arrive.
    bench.ledger.sent(2, 0);
    assert_eq!(
        bench.ledger.open(),
        Open {
            unanswered: 1,
            missing: 1
        }
    );
    bench.one(Kind::Lost, "never arrived at member 1 of room 0");
    let counts = bench.ledger.judge(true).0;
    assert_eq!((counts.due, counts.delivered, counts.unanswered), (3, 2, 1));
}

#[test]
fn what_was_not_waited_for_to_the_end_is_not_lost() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives(0, 0);
    let (counts, faults) = bench.ledger.judge(false);
    assert_eq!((counts.due, counts.delivered, counts.undecided), (3, 1, 2));
    assert_eq!(faults, Faults::default());
}

#[test]
fn what_arrives_twice_is_doubled() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives_everywhere(0);
    assert_eq!(bench.arrives(0, 1), None);
    bench.one(Kind::Doubled, "member 1 of room 0 once more");
    assert_eq!(bench.ledger.judge(true).0.delivered, 3);
}

#[test]
fn what_was_sent_after_an_ack_arrives_behind_what_the_ack_was_for() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.send(6);
    bench.arrives(6, 1);
    bench.arrives(0, 1);
    for place in [0, 2] {
        bench.arrives(0, place);
        bench.arrives(6, place);
    }
    bench.one(Kind::OutOfOrder, ":0:0:0 arrives at member 1 of room 0 behind");
    assert_eq!(bench.ledger.judge(true).0.overtaken, 0);
}

#[test]
fn what_was_sent_before_the_ack_may_overtake() {
    let mut bench = Bench::new();
    bench.ledger.sent(0, 0);
    bench.ledger.sent(6, 0);
    for number in [0, 6] {
        bench.ledger.acked(number, Some(&id(number)));
    }
    bench.arrives_everywhere(6);
    bench.arrives_everywhere(0);
    assert_eq!(bench.faults(), []);
    assert_eq!(bench.ledger.judge(true).0.overtaken, 3);
}

#[test]
fn order_is_judged_for_each_sender_alone() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.send(2);
    bench.arrives_everywhere(2);
    bench.arrives_everywhere(0);
    assert_eq!(bench.faults(), []);
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
        let mut bench = Bench::new();
        bench.send(0);
        bench.arrives_everywhere(0);
        assert_eq!(bench.arrives_as(0, FIRST, change), None);
        bench.one(Kind::Invented, told);
    }
    let mut bench = Bench::new();
    assert_eq!(bench.arrives(0, 0), None);
    bench.one(Kind::Invented, "nobody has sent yet");
}

#[test]
fn what_arrives_in_another_room_is_invented() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives_everywhere(0);
    bench.arrives_as(0, Member { room: 1, place: 0 }, |_| {});
    bench.one(Kind::Invented, "member 0 of room 1: message");
}

#[test]
fn what_was_refused_must_not_arrive_but_what_failed_may() {
    let mut bench = Bench::new();
    bench.ledger.sent(0, 0);
    bench.ledger.refused(0, "RATE_LIMITED");
    bench.ledger.sent(2, 0);
    bench.ledger.refused(2, INTERNAL);
    bench.arrives(0, 1);
    bench.arrives(2, 1);
    bench.one(Kind::Invented, "was refused and arrived at member 1 of room 0");
    let refused = bench.ledger.judge(true).0.refused;
    assert_eq!(
        refused.into_iter().collect::<Vec<_>>(),
        [(INTERNAL.to_owned(), 1), ("RATE_LIMITED".to_owned(), 1)]
    );
}

#[test]
fn a_repeat_has_the_id_of_the_first() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives_everywhere(0);
    bench.ledger.repeated();
    bench.ledger.acked(0, Some(&id(0)));
    assert_eq!(bench.faults(), []);
    bench.ledger.acked(0, Some("id-other"));
    bench.one(Kind::Ids, "its ack says id-other");
    assert_eq!(bench.ledger.judge(true).0.acked, 1);
}

#[test]
fn ids_are_the_same_everywhere_and_no_other_messages() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives_as(0, FIRST, |message| message.id = "id-other".into());
    bench.arrives(0, 1);
    bench.arrives(0, 2);
    bench.one(Kind::Ids, "arrives at member 0 of room 0 as id-other");

    let mut bench = Bench::new();
    bench.send(0);
    bench.ledger.sent(2, 0);
    bench.ledger.acked(2, Some(&id(0)));
    bench.arrives_everywhere(0);
    for place in 0..3 {
        bench.arrives_as(2, Member { room: 0, place }, |message| message.id = id(0).into());
    }
    bench.one(Kind::Ids, "has the id of message");

    let bench = Bench::new();
    bench.ledger.sent(0, 0);
    bench.ledger.acked(0, None);
    assert_eq!(bench.faults()[0].0, Kind::Ids);
}

#[test]
fn what_a_lost_connection_missed_is_not_judged() {
    let mut bench = Bench::new();
    bench.send(0);
    bench.arrives(0, 1);
    bench.arrives(0, 2);
    bench.ledger.sent(6, 1);
    bench.ledger.gone(FIRST);
    assert_eq!(bench.ledger.open(), Open::default());
    assert_eq!(bench.faults(), []);
    let counts = bench.ledger.judge(true).0;
    assert_eq!((counts.due, counts.cut_off, counts.unanswered), (2, 1, 0));
}
