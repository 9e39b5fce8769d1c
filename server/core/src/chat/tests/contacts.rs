//! Who hears that somebody is online: who shares a chat with them now (contract §9).

use super::*;
use crate::presence::{Contacts, Messenger as _};
use crate::publish::Presence;

#[tokio::test]
async fn contacts_hear_of_it_and_who_has_none_tells_nobody() {
    let house = house().await;
    let contacts = Contacts {
        store: house.store.clone(),
        publisher: house.recorder.clone(),
    };
    contacts.tell(house.alice, Presence::Offline).await.unwrap();
    let told = house.recorder.take();
    let [Outbound::Event(Audience::Users(to), ServerEvent::PresenceUpdate { user_id, status })] =
        told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (to, user_id, status),
        (&vec![house.bob], &house.alice, &Presence::Offline)
    );
    contacts.tell(house.stranger, Presence::Online).await.unwrap();
    assert!(house.recorder.take().is_empty());
}
