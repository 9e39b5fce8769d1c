//! Sending: once, whatever happens on the way.

use super::*;

#[tokio::test]
async fn a_message_is_stored_published_once_and_a_repeat_changes_nothing() {
    let fixture = fixture().await;
    let first = fixture.send(fixture.alice, "c1", "hello").await.unwrap();
    assert_eq!(fixture.recorder.messages(), [first.message.id]);

    let repeat = fixture.send(fixture.alice, "c1", "another body").await.unwrap();
    assert!(repeat.repeated);
    assert_eq!(repeat.message, first.message);
    assert!(fixture.recorder.take().is_empty());

    let bobs = fixture.send(fixture.bob, "c1", "mine").await.unwrap();
    assert!(!bobs.repeated, "another member's clientId is another message");
    assert_eq!(fixture.stored().await, 2);
}

/// A moment, and what has been published when it is over, as soon as there is something.
async fn published_in_the_end(fixture: &Fixture) -> Vec<MessageId> {
    for _ in 0..1_000 {
        let published = fixture.recorder.messages();
        if !published.is_empty() {
            return published;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Vec::new()
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_led_to_its_end() {
    let fixture = fixture().await;
    let turn = fixture.service.0.lanes.enter(fixture.chat).await;
    let asking = fixture.send(fixture.alice, "c1", "hello");
    // The one who asks goes away.
    assert!(
        tokio::time::timeout(Duration::from_millis(20), asking)
            .await
            .is_err()
    );
    assert_eq!(fixture.recorder.messages(), []);
    drop(turn);
    let published = published_in_the_end(&fixture).await;
    let again = fixture.send(fixture.alice, "c1", "hello").await.unwrap();
    assert!(again.repeated);
    assert_eq!(published, [again.message.id]);
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_so_and_the_message_is_still_published() {
    let fixture = fixture_with(Some(Duration::from_millis(50))).await;
    let turn = fixture.service.0.lanes.enter(fixture.chat).await;
    let told = fixture.send(fixture.alice, "c1", "hello").await;
    assert!(matches!(told, Err(ChatError::Internal { .. })), "{told:?}");
    drop(turn);
    let published = published_in_the_end(&fixture).await;
    let again = fixture.send(fixture.alice, "c1", "hello").await.unwrap();
    assert_eq!(published, [again.message.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_of_one_key_make_one_message_and_one_broadcast() {
    let fixture = fixture().await;
    let sends = (0..64).map(|_| {
        let (service, alice) = (fixture.service.clone(), fixture.alice);
        // Over REST there is no rate limit, so that all 64 come through to the key.
        let command = SendMessage {
            rate_limited: false,
            ..fixture.message("same", "hello")
        };
        tokio::spawn(async move { service.perform(alice, command).await.unwrap() })
    });
    let mut sent = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        sent.push(send.await.unwrap());
    }
    assert!(sent.iter().all(|one| one.message.id == sent[0].message.id));
    assert_eq!(sent.iter().filter(|one| !one.repeated).count(), 1);
    assert_eq!(fixture.recorder.messages().len(), 1);
    assert_eq!(fixture.stored().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_sends_at_once_leave_ten_accepted_and_the_rest_without_a_trace() {
    let fixture = fixture().await;
    let sends = (0..30).map(|n| {
        let (service, alice, command) = (
            fixture.service.clone(),
            fixture.alice,
            fixture.message(&n.to_string(), "x"),
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
        (
            accepted,
            fixture.stored().await,
            fixture.recorder.messages().len()
        ),
        (10, 10, 10)
    );
    fixture.send(fixture.bob, "b", "unaffected").await.unwrap();
}

#[tokio::test]
async fn a_repeat_does_not_count_against_the_rate_limit() {
    let fixture = fixture().await;
    for n in 0..9 {
        fixture.send(fixture.alice, &n.to_string(), "x").await.unwrap();
    }
    for _ in 0..5 {
        assert!(fixture.send(fixture.alice, "0", "x").await.unwrap().repeated);
    }
    fixture.send(fixture.alice, "9", "x").await.unwrap();
    assert_eq!(
        fixture.send(fixture.alice, "10", "x").await.unwrap_err().code(),
        "RATE_LIMITED"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_that_share_a_flush_are_published_in_the_order_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture_on(Location::Folder(folder.path().to_owned()), None).await;
    let sends = (0..200).map(|n| {
        let (service, sender) = (fixture.service.clone(), [fixture.alice, fixture.bob][n % 2]);
        let command = SendMessage {
            rate_limited: false,
            ..fixture.message(&n.to_string(), "hello")
        };
        tokio::spawn(async move { service.perform(sender, command).await.unwrap() })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap();
    }
    let stored = fixture.listed().await;
    assert_eq!(stored.len(), 200);
    let mut published = fixture.recorder.messages();
    // A page has the newest first.
    published.reverse();
    assert_eq!(published, stored);
}
