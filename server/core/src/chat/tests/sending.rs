//! Sending: once, whatever happens on the way.

use super::*;

#[tokio::test]
async fn a_message_is_stored_published_once_and_a_repeat_changes_nothing() {
    let house = house().await;
    let first = house.send(house.alice, "c1", "hello").await.unwrap();
    assert_eq!(house.recorder.messages(), [first.message.id]);

    let repeat = house.send(house.alice, "c1", "another body").await.unwrap();
    assert!(repeat.repeated);
    assert_eq!(repeat.message, first.message);
    assert!(house.recorder.take().is_empty());

    let bobs = house.send(house.bob, "c1", "mine").await.unwrap();
    assert!(!bobs.repeated, "another member's clientId is another message");
    assert_eq!(house.stored().await, 2);
}

/// A moment, and what has been published when it is over, as soon as there is something.
async fn published_in_the_end(house: &House) -> Vec<MessageId> {
    for _ in 0..1_000 {
        let published = house.recorder.messages();
        if !published.is_empty() {
            return published;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Vec::new()
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_led_to_its_end() {
    let house = house().await;
    let turn = house.service.0.lanes.enter(house.chat).await;
    let asking = house.send(house.alice, "c1", "hello");
    // The one who asks goes away.
    assert!(
        tokio::time::timeout(Duration::from_millis(20), asking)
            .await
            .is_err()
    );
    assert_eq!(house.recorder.messages(), []);
    drop(turn);
    let published = published_in_the_end(&house).await;
    let again = house.send(house.alice, "c1", "hello").await.unwrap();
    assert!(again.repeated);
    assert_eq!(published, [again.message.id]);
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_so_and_the_message_is_still_published() {
    let house = house_with(Some(Duration::from_millis(50))).await;
    let turn = house.service.0.lanes.enter(house.chat).await;
    let told = house.send(house.alice, "c1", "hello").await;
    assert!(matches!(told, Err(ChatError::Internal { .. })), "{told:?}");
    drop(turn);
    let published = published_in_the_end(&house).await;
    let again = house.send(house.alice, "c1", "hello").await.unwrap();
    assert_eq!(published, [again.message.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_of_one_key_make_one_message_and_one_broadcast() {
    let house = house().await;
    let sends = (0..64).map(|_| {
        let (service, alice) = (house.service.clone(), house.alice);
        // Over REST there is no rate limit, so that all 64 come through to the key.
        let command = SendMessage {
            rate_limited: false,
            ..house.message("same", "hello")
        };
        tokio::spawn(async move { service.perform(alice, command).await.unwrap() })
    });
    let mut sent = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        sent.push(send.await.unwrap());
    }
    assert!(sent.iter().all(|one| one.message.id == sent[0].message.id));
    assert_eq!(sent.iter().filter(|one| !one.repeated).count(), 1);
    assert_eq!(house.recorder.messages().len(), 1);
    assert_eq!(house.stored().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_sends_at_once_leave_ten_accepted_and_the_rest_without_a_trace() {
    let house = house().await;
    let sends = (0..30).map(|n| {
        let (service, alice, command) = (
            house.service.clone(),
            house.alice,
            house.message(&n.to_string(), "x"),
        );
        tokio::spawn(async move { service.perform(alice, command).await })
    });
    let mut accepted = 0;
    for send in sends.collect::<Vec<_>>() {
        match send.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(error) => assert_eq!(error.code(), "RATE_LIMITED"),
        }
    }
    assert_eq!(
        (accepted, house.stored().await, house.recorder.messages().len()),
        (10, 10, 10)
    );
    house.send(house.bob, "b", "unaffected").await.unwrap();
}

#[tokio::test]
async fn a_repeat_does_not_count_against_the_rate_limit() {
    let house = house().await;
    for n in 0..9 {
        house.send(house.alice, &n.to_string(), "x").await.unwrap();
    }
    for _ in 0..5 {
        assert!(house.send(house.alice, "0", "x").await.unwrap().repeated);
    }
    house.send(house.alice, "9", "x").await.unwrap();
    assert_eq!(
        house.send(house.alice, "10", "x").await.unwrap_err().code(),
        "RATE_LIMITED"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_that_share_a_flush_are_published_in_the_order_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let house = house_on(Location::Folder(folder.path().to_owned()), None).await;
    let sends = (0..200).map(|n| {
        let (service, sender) = (house.service.clone(), [house.alice, house.bob][n % 2]);
        let command = SendMessage {
            rate_limited: false,
            ..house.message(&n.to_string(), "hello")
        };
        tokio::spawn(async move { service.perform(sender, command).await.unwrap() })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap();
    }
    let stored = house.listed().await;
    assert_eq!(stored.len(), 200);
    let mut published = house.recorder.messages();
    // A page has the newest first.
    published.reverse();
    assert_eq!(published, stored);
}
