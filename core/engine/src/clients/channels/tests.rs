use super::*;
use crate::clients::session::Sessions;
use crate::time::Now;

fn client(sessions: &mut Sessions) -> Box<Session> {
    let id = sessions.connect(
        String::new(),
        String::new(),
        &crate::users::Users::for_tests(),
        Now::default(),
    );
    sessions.take(id).unwrap()
}

#[test]
fn as_many_subscriptions_as_allowed_and_not_one_more() {
    let mut sessions = Sessions::default();
    let (mut one, mut other) = (client(&mut sessions), client(&mut sessions));
    let mut channels = Channels {
        bounds: Bounds {
            client_channels: 3,
            client_patterns: 2,
            client_bytes: 1000,
            patterns: 3,
            all: 7,
        },
        ..Channels::default()
    };
    let mut subscribe = |session: &mut Session, what, names: &[&str]| {
        let bytes = names.iter().map(|name| name.len()).sum();
        channels.check_room(session, what, names.len(), bytes)?;
        for name in names {
            channels.subscribe(session, what, Key::from(name.as_bytes()));
        }
        Ok(())
    };
    let refused = Err(CmdError::TooManySubscriptions);
    let (channel, pattern, shard) = (Listening::Channel, Listening::Pattern, Listening::Shard);
    assert_eq!(subscribe(&mut one, channel, &["a", "b", "c", "d"]), refused);
    assert_eq!(one.subscriptions.len(channel), 0);
    assert_eq!(subscribe(&mut one, channel, &["a", "b"]), Ok(()));
    assert_eq!(subscribe(&mut one, shard, &["a"]), Ok(()));
    assert_eq!(subscribe(&mut one, shard, &["b"]), refused);
    assert_eq!(subscribe(&mut one, pattern, &["a*", "b*", "c*"]), refused);
    assert_eq!(subscribe(&mut one, pattern, &["a*", "b*"]), Ok(()));
    assert_eq!(subscribe(&mut other, pattern, &["c*", "d*"]), refused);
    assert_eq!(subscribe(&mut other, pattern, &["c*"]), Ok(()));
    assert_eq!(subscribe(&mut other, channel, &["a", "b"]), refused);
    assert_eq!(subscribe(&mut other, channel, &["a"]), Ok(()));
    assert!(one.request_bytes() > 5 * 100);
    channels.unsubscribe(&mut one, channel, b"a");
    channels.unsubscribe(&mut one, channel, b"b");
    let mut subscribe = |session: &mut Session, what, names: &[&str]| {
        let bytes = names.iter().map(|name| name.len()).sum();
        channels.check_room(session, what, names.len(), bytes)?;
        for name in names {
            channels.subscribe(session, what, Key::from(name.as_bytes()));
        }
        Ok(())
    };
    let long = ["a".repeat(500), "b".repeat(501), "b".repeat(400)];
    assert_eq!(subscribe(&mut one, channel, &[&long[0], &long[1]]), refused);
    assert_eq!(subscribe(&mut one, channel, &[&long[0], &long[2]]), Ok(()));
    channels.unsubscribe(&mut one, channel, long[0].as_bytes());
    let room = |bytes| channels.check_room(&one, channel, 1, bytes);
    assert_eq!((room(500), room(1000)), (Ok(()), refused));
    channels.unsubscribe_all(&mut one);
    channels.unsubscribe(&mut other, channel, b"a");
    assert_eq!(channels.clients(), 1);
    channels.unsubscribe(&mut other, pattern, b"c*");
    assert_eq!((channels.clients(), channels.subscriptions), (0, 0));
    assert_eq!(one.request_bytes(), 0);
    for what in [channel, pattern, shard] {
        assert_eq!(channels.len(what), 0);
    }
}

#[test]
fn all_who_listen_to_a_channel_share_its_name() {
    let mut sessions = Sessions::default();
    let (mut one, mut other) = (client(&mut sessions), client(&mut sessions));
    let mut channels = Channels::default();
    let name = || Key::from(&[b'c'; 100]);
    channels.subscribe(&mut one, Listening::Channel, name());
    channels.subscribe(&mut other, Listening::Channel, name());
    let kept = |session: &Session| {
        let mut names = session.subscriptions.names(Listening::Channel);
        names.next().unwrap().as_ptr()
    };
    assert_eq!(kept(&one), kept(&other));
}
