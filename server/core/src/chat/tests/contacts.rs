//! Who hears that somebody is online: who shares a chat with them now (contract §9).

use super::*;
use crate::presence::{ContactNotifier as _, Contacts};
use crate::publish::Presence;

#[tokio::test]
async fn contacts_hear_of_it_and_who_has_none_tells_nobody() {
    let fixture = fixture().await;
    let contacts = Contacts {
        store: fixture.store.clone(),
        publisher: fixture.recorder.clone(),
    };
    contacts.notify(fixture.alice, Presence::Offline).await.unwrap();
    let told = fixture.recorder.take();
    let [Outbound::Event(Audience::Users(to), ServerEvent::PresenceUpdate { user_id, status })] =
        told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (to, user_id, status),
        (&vec![fixture.bob], &fixture.alice, &Presence::Offline)
    );
    contacts.notify(fixture.stranger, Presence::Online).await.unwrap();
    assert!(fixture.recorder.take().is_empty());
}
