//! The proxy: without rules, what goes through it is what would have gone past it; with rules, it is what they say.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chatspec::contract::Contract;
use chatspec::plan::Plan;
use chatspec::preflight;
use chatspec::proxy::rule::Rule;
use chatspec::proxy::{Instructions, Proxy};
use chatspec::runner;
use chatspec::scenarios;
use chatspec::scene::RunOptions;
use chatspec::targets::profile::Profile;
use chatspec::targets::reference;
use chatspec::verdict::Verdict;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use url::Url;

/// Longest that anything here is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A proxy before a target that takes one connection at a time and hands it over.
async fn before_a_socket(rules: &str) -> (Proxy, TcpListener) {
    #[derive(Default, serde::Deserialize)]
    struct File {
        #[serde(default)]
        rule: Vec<Rule>,
    }
    let file: File = toml::from_str(rules).unwrap();
    let instructions = Instructions {
        rules: file.rule,
        ..Instructions::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let proxy = Proxy::start(&[Url::parse(&url).unwrap()], instructions)
        .await
        .unwrap();
    (proxy, listener)
}

fn address(proxy: &Proxy) -> String {
    proxy.urls()[0].strip_prefix("http://").unwrap().to_owned()
}

/// What comes up to an empty line, and the empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// Both ends of a WebSocket that has been opened through the proxy, and what the target was asked.
async fn opened(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream, String) {
    let mut client = TcpStream::connect(address(proxy)).await.unwrap();
    client
        .write_all(
            b"GET /socket.io/?EIO=4&transport=websocket&token=a%2Fb HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\
              Origin: http://allowed.example\r\n\r\n",
        )
        .await
        .unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let asked = head(&mut server).await;
    server
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: OfS0wDaT5NoxF2gqm7Zj2YtetzM=\r\n\r\n",
        )
        .await
        .unwrap();
    let answered = head(&mut client).await;
    assert!(answered.starts_with("http/1.1 101"), "{answered}");
    assert!(answered.contains("sec-websocket-accept: ofs0wdat5noxf2gqm7zj2ytetzm="));
    assert!(answered.contains("upgrade: websocket"));
    (client, server, asked)
}

/// Frames of every kind, and what is none: a text with a mask and without, a ping, fragments, binary, text that is no UTF-8,
/// a reserved opcode, and half a frame at the end.
fn odd_bytes() -> Vec<u8> {
    let mut bytes = vec![
        0x81,
        0x81,
        1,
        2,
        3,
        4,
        b'2' ^ 1,
        0x81,
        1,
        b'2',
        0x89,
        2,
        b'h',
        b'i',
    ];
    bytes.extend([
        0x01, 1, b'4', 0x80, 2, b'2', b'[', 0x82, 3, 0, 1, 2, 0x81, 2, 0xff, 0xfe,
    ]);
    bytes.extend([0x81, 126, 0x27, 0x10]);
    bytes.extend(std::iter::repeat_n(b'x', 10_000));
    bytes.extend([0x83, 5, 1, 2, 3]);
    bytes
}

#[tokio::test]
async fn every_byte_of_a_websocket_passes_in_both_directions() {
    let (proxy, listener) = before_a_socket("").await;
    let (mut client, mut server, asked) = opened(&proxy, &listener).await;
    assert!(asked.starts_with("get /socket.io/?eio=4&transport=websocket&token=a%2fb http/1.1"));
    for header in [
        "connection: upgrade",
        "origin: http://allowed.example",
        "sec-websocket-version: 13",
    ] {
        assert!(asked.contains(header), "{header} in {asked}");
    }
    passes(&odd_bytes(), &mut client, &mut server).await;
    passes(&odd_bytes(), &mut server, &mut client).await;
}

/// What one end says, and that it says no more, is what the other one gets.
async fn passes(bytes: &[u8], from: &mut TcpStream, to: &mut TcpStream) {
    from.write_all(bytes).await.unwrap();
    from.shutdown().await.unwrap();
    let mut came = Vec::new();
    let reading = to.read_to_end(&mut came);
    tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert_eq!(came, bytes);
}

#[tokio::test]
async fn an_end_that_vanishes_takes_the_other_with_it() {
    for vanishing in ["client", "server"] {
        let (proxy, listener) = before_a_socket("").await;
        let (client, server, _) = opened(&proxy, &listener).await;
        let (mut left, gone) = if vanishing == "client" {
            (server, client)
        } else {
            (client, server)
        };
        drop(gone);
        let mut nothing = [0; 8];
        let end = tokio::time::timeout(PATIENCE, left.read(&mut nothing))
            .await
            .unwrap();
        assert!(matches!(end, Ok(0) | Err(_)), "{vanishing}: {end:?}");
    }
}

#[tokio::test]
async fn who_does_not_read_is_waited_for() {
    const MUCH: usize = 512 << 20;
    let (proxy, listener) = before_a_socket("").await;
    let (mut client, _server, _) = opened(&proxy, &listener).await;
    let mut taken = 0;
    let mut frame = vec![0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0];
    frame.resize(frame.len() + (1 << 20), 0);
    while taken < MUCH
        && let Ok(wrote) = tokio::time::timeout(Duration::from_secs(1), client.write(&frame)).await
    {
        taken += wrote.unwrap();
    }
    assert!(
        taken < MUCH,
        "{taken} bytes were taken for somebody who reads none"
    );
}

#[tokio::test]
async fn requests_and_answers_pass_with_headers_and_bodies() {
    let (proxy, listener) = before_a_socket("").await;
    let asking = reqwest::Client::new()
        .post(format!("{}/v1/chats?limit=1&x=%20", proxy.urls()[0]))
        .header("authorization", "Bearer abc")
        .header("content-type", "application/json")
        .header("x-twice", "1")
        .header("x-twice", "2")
        .body("{\"type\":\"dm\"}")
        .send();
    let answering = async {
        let (mut server, _) = listener.accept().await.unwrap();
        let asked = head(&mut server).await;
        let mut body = [0; 13];
        server.read_exact(&mut body).await.unwrap();
        server
            .write_all(
                b"HTTP/1.1 418 I'm a teapot\r\nAccess-Control-Allow-Origin: http://allowed.example\r\n\
                  Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n",
            )
            .await
            .unwrap();
        (asked, body)
    };
    let (answer, (asked, body)) = tokio::join!(asking, answering);
    assert!(
        asked.starts_with("post /v1/chats?limit=1&x=%20 http/1.1"),
        "{asked}"
    );
    for header in [
        "authorization: bearer abc",
        "x-twice: 1",
        "x-twice: 2",
        "content-length: 13",
    ] {
        assert!(asked.contains(header), "{header} in {asked}");
    }
    assert_eq!(&body, b"{\"type\":\"dm\"}");
    let answer = answer.unwrap();
    assert_eq!(answer.status().as_u16(), 418);
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "http://allowed.example"
    );
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(answer.text().await.unwrap(), "{ }");
}

#[tokio::test]
async fn a_target_that_is_away_is_told_of() {
    let (proxy, listener) = before_a_socket("").await;
    drop(listener);
    let answer = reqwest::get(format!("{}/v1/chats", proxy.urls()[0]))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    let told = answer.text().await.unwrap();
    assert!(told.contains("cannot be reached"), "{told}");
}

/// A text message in one frame, as a server sends it, or with a mask, as a client does.
fn text(text: &str, masked: bool) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    if masked {
        // A mask of zeros leaves the text as it is.
        [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
    } else {
        [&[0x81, length], text.as_bytes()].concat()
    }
}

/// Reads the texts of short frames until there are so many, or there is an end.
async fn texts(from: &mut TcpStream, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let mut head = [0; 2];
        let read = tokio::time::timeout(PATIENCE, from.read_exact(&mut head))
            .await
            .unwrap();
        if read.is_err() {
            break;
        }
        let mut mask = [0; 4];
        if head[1] & 0x80 != 0 {
            from.read_exact(&mut mask).await.unwrap();
        }
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        from.read_exact(&mut payload).await.unwrap();
        payload
            .iter_mut()
            .zip(mask.iter().cycle())
            .for_each(|(byte, mask)| *byte ^= mask);
        texts.push(String::from_utf8(payload).unwrap());
    }
    texts
}

#[tokio::test]
async fn rules_double_hold_back_and_change_what_passes() {
    let rules = r#"
        [[rule]]
        on = { event = "twice" }
        do = ["duplicate"]
        [[rule]]
        on = { event = "late" }
        do = [{ delay_ms = 200 }]
        [[rule]]
        on = { request = "ask" }
        do = [{ set = { at = "/data/n", to = "{{/id}}" } }]
    "#;
    let (proxy, listener) = before_a_socket(rules).await;
    let (mut client, mut server, _) = opened(&proxy, &listener).await;
    for event in [r#"42["late",1]"#, r#"42["twice"]"#, r#"42["plain", 2]"#] {
        server.write_all(&text(event, false)).await.unwrap();
    }
    let came = texts(&mut client, 4).await;
    assert_eq!(
        came,
        [
            r#"42["twice"]"#,
            r#"42["twice"]"#,
            r#"42["plain", 2]"#,
            r#"42["late",1]"#
        ]
    );
    client
        .write_all(&text(r#"427["ask",{"n":0}]"#, true))
        .await
        .unwrap();
    assert_eq!(texts(&mut server, 1).await, [r#"427["ask",{"n":7}]"#]);
    assert_eq!(proxy.fired(), 3);
}

#[tokio::test]
async fn rules_cut_and_keep_half_open() {
    let rules = r#"
        [[rule]]
        on = { event = "last" }
        do = ["cut"]
        [[rule]]
        on = { packet = "disconnect" }
        do = ["half_open", "drop"]
    "#;
    let (proxy, listener) = before_a_socket(rules).await;
    let (mut client, mut server, _) = opened(&proxy, &listener).await;
    server.write_all(&text(r#"42["last"]"#, false)).await.unwrap();
    assert_eq!(texts(&mut client, 2).await, [r#"42["last"]"#]);

    let (mut client, mut other, _) = opened(&proxy, &listener).await;
    client.write_all(&text("41", true)).await.unwrap();
    assert_eq!(texts(&mut client, 1).await, [""; 0]);
    drop(client);
    // The server learns nothing of it, and gets its pings answered.
    for _ in 0..2 {
        other.write_all(&text("2", false)).await.unwrap();
        assert_eq!(texts(&mut other, 1).await, ["3"]);
    }
    assert_eq!(texts(&mut server, 1).await, [""; 0]);
}

async fn verdicts(profile: Profile) -> BTreeMap<String, Verdict> {
    let contract = Contract::embedded().unwrap();
    let all: Vec<_> = scenarios::all().collect();
    let plan = Plan::select(&contract, &all, &[], &[]).unwrap();
    let plan = plan.quick(&contract).unwrap();
    let context = preflight::prepare(profile.into(), contract, RunOptions::default())
        .await
        .unwrap();
    let (events, _told) = mpsc::unbounded_channel();
    let (_stopper, stop) = watch::channel(false);
    let result = runner::run(Arc::new(plan), context, 64, events, stop).await;
    let verdicts = result.requirements.iter().map(|r| (r.id.clone(), r.verdict));
    verdicts.collect()
}

/// The full run is done by `scripts/bench-proxy.sh`, which compares the verdicts as well.
#[test]
fn a_quick_run_through_it_has_the_same_verdicts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (profile, _running) = reference::start(None).await.unwrap();
        let past = verdicts(profile.clone()).await;
        let proxy = Proxy::start(&[Url::parse(&profile.urls[0]).unwrap()], Instructions::default())
            .await
            .unwrap();
        let through = verdicts(profile.at(proxy.urls().to_vec())).await;
        assert_eq!(past, through);
        assert!(past.values().filter(|verdict| **verdict == Verdict::Pass).count() > 80);
    });
    runtime.shutdown_background();
}
