use super::*;

fn plan(wanted: LoadOptions) -> Plan {
    Plan::new(wanted, &Limits::default()).unwrap()
}

#[test]
fn every_message_has_a_place_and_every_place_its_message() {
    let plan = plan(LoadOptions {
        rooms: 3,
        room_size: 2,
        rate: 4.0,
        duration: Duration::from_secs(5),
        ..LoadOptions::default()
    });
    assert_eq!(plan.total(), 20);
    for number in 0..plan.total() {
        let place = plan.place(number);
        assert_eq!(plan.number(place), Some(number));
        assert_eq!(plan.read(&plan.body(number)), Some(place));
        assert_eq!(plan.body(number).len(), 100);
    }
    let rooms: Vec<u32> = (0..4).map(|number| plan.place(number).room).collect();
    assert_eq!(rooms, [0, 1, 2, 0]);
    let nowhere = |room, sender, seq| plan.number(MessagePosition { room, sender, seq });
    assert_eq!(
        [
            nowhere(3, 0, 0),
            nowhere(0, 2, 0),
            nowhere(0, 0, 4),
            nowhere(0, 0, u32::MAX)
        ],
        [None; 4]
    );
}

#[test]
fn messages_are_due_evenly_and_independently_of_what_became_of_others() {
    let plan = plan(LoadOptions {
        rate: 40.0,
        ..LoadOptions::default()
    });
    assert_eq!(plan.total(), 400);
    let due: Vec<u128> = [0, 1, 2, 40, 399].map(|n| plan.due(n).as_millis()).to_vec();
    assert_eq!(due, [0, 25, 50, 1_000, 9_975]);
}

#[test]
fn bodies_of_others_and_changed_ones_are_none_of_this_load() {
    let plan = plan(LoadOptions::default());
    let body = plan.body(7);
    let changed = body.replacen('.', ",", 1);
    let cut = &body[..body.len() - 1];
    let other = body.replacen(&plan.run, "00000000", 1);
    for none in [changed.as_str(), cut, other.as_str(), "hello", ""] {
        assert_eq!(plan.read(none), None, "{none}");
    }
}

#[test]
fn a_share_of_every_members_messages_is_repeated() {
    let plan = plan(LoadOptions {
        rooms: 5,
        room_size: 10,
        rate: 25.0,
        duration: Duration::from_secs(200),
        repeat: 0.1,
        ..LoadOptions::default()
    });
    for member in 0..50 {
        let of_member = (member..plan.total()).step_by(50);
        let repeated = of_member.filter(|number| plan.is_repeated(*number)).count();
        assert_eq!(repeated, 10, "of 100 of member {member}");
    }
}

#[test]
fn nobody_comes_near_the_limit() {
    let wanted = |rooms, rate| LoadOptions {
        rooms,
        rate,
        repeat: 0.0,
        ..LoadOptions::default()
    };
    assert!(Plan::new(wanted(10, 80.0), &Limits::default()).is_ok());
    let told = Plan::new(wanted(10, 200.0), &Limits::default()).unwrap_err();
    let told = told.to_string();
    for part in [
        "100 users may send 80 messages",
        "10 in 10000 ms",
        "--rooms 25,",
        "--rate-max 25 ",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(Plan::new(wanted(25, 200.0), &Limits::default()).is_ok());
    let lifted = Limits {
        rate_max: 25,
        ..Limits::default()
    };
    assert!(Plan::new(wanted(10, 200.0), &lifted).is_ok());
    let repeating = LoadOptions {
        repeat: 0.5,
        ..wanted(10, 80.0)
    };
    assert!(matches!(
        Plan::new(repeating, &Limits::default()),
        Err(PlanError::TooFast { .. })
    ));
}

#[test]
fn what_makes_no_sense_is_told() {
    let base = LoadOptions::default;
    let refused = |wanted: LoadOptions| Plan::new(wanted, &Limits::default()).unwrap_err().to_string();
    assert!(
        refused(LoadOptions {
            room_size: 1,
            ..base()
        })
        .contains("at least 2")
    );
    assert!(refused(LoadOptions { rooms: 0, ..base() }).contains("nothing to connect"));
    assert!(refused(LoadOptions { rate: 0.01, ..base() }).contains("no message"));
    assert!(refused(LoadOptions { payload: 5, ..base() }).contains("between"));
    assert!(
        refused(LoadOptions {
            payload: 100_001,
            ..base()
        })
        .contains("100000")
    );
}

#[test]
fn idle_connections_are_a_number_or_a_share_of_all() {
    let idle = |idle| {
        plan(LoadOptions {
            idle,
            ..LoadOptions::default()
        })
        .users()
    };
    assert_eq!(idle(Idle::Number(7)), 107);
    assert_eq!(idle(Idle::Share(0.75)), 400);
    let storm = plan(LoadOptions::default().connections(300));
    assert_eq!((storm.users(), storm.members(), storm.total()), (300, 0, 0));
}
