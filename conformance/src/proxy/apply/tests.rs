use super::*;

/// What becomes of a view by the rules of a TOML file, `[[rule]]` for each.
fn applied(rules: &str, view: Value, memory: &mut Memory) -> Applied {
    #[derive(serde::Deserialize)]
    struct File {
        rule: Vec<Rule>,
        #[serde(default)]
        observe: Vec<Observation>,
    }
    let file: File = toml::from_str(rules).unwrap();
    file.rule.iter().for_each(|rule| rule.check().unwrap());
    apply(&file.rule, &file.observe, view, memory)
}

fn ack(data: impl Into<Value>) -> Value {
    json!({
        "packet": "ack", "event": "message:send", "id": 4, "data": data.into(),
        "request": {"chatId": "c", "clientId": "k", "body": "hi"}, "conn": {"user": "u", "id": 1},
    })
}

#[test]
fn what_no_rule_is_about_passes_as_it_is() {
    let rules = "[[rule]]\non = { ack = 'room:join' }\ndo = ['drop']\n\
                 [[rule]]\non = { ack = '*' }\nwhen = [{ at = '/data/ok', is = false }]\ndo = ['drop']";
    let view = ack(json!({"ok": true}));
    let applied = applied(rules, view.clone(), &mut Memory::default());
    assert_eq!((applied.fired, applied.times, applied.edited), (0, 1, false));
    assert_eq!(applied.view, view);
}

#[test]
fn rules_drop_double_delay_and_reorder() {
    let rules = "[[rule]]\non = { ack = ['room:join', 'message:send'] }\ndo = ['duplicate', { delay_ms = 5 }]\n\
                 [[rule]]\non = { ack = '*' }\ndo = ['reorder']";
    let done = applied(rules, ack(json!({"ok": true})), &mut Memory::default());
    assert_eq!((done.fired, done.times, done.edited), (2, 2, false));
    assert_eq!(
        (done.delay, done.reorder),
        (Some(Duration::from_millis(5)), Some(1))
    );
    let rules = "[[rule]]\non = { ack = '*' }\ndo = ['drop']";
    assert_eq!(applied(rules, ack(json!({})), &mut Memory::default()).times, 0);
}

#[test]
fn rules_change_what_passes() {
    for (act, data) in [
        (
            "{ set = { at = '/data/data/serverId', to = '{{/request/chatId}}' } }",
            json!({"ok": true, "data": {"serverId": "c", "n": 1}, "text": " a b "}),
        ),
        (
            "{ remove = '/data/data/n' }",
            json!({"ok": true, "data": {"serverId": "s"}, "text": " a b "}),
        ),
        (
            "{ rename = { at = '/data/data/n', to = 'm' } }",
            json!({"ok": true, "data": {"serverId": "s", "m": 1}, "text": " a b "}),
        ),
        (
            "{ add = { at = '/data/data/n', amount = -3 } }",
            json!({"ok": true, "data": {"serverId": "s", "n": -2}, "text": " a b "}),
        ),
        (
            "{ replace = { at = '/data/text', text = ' ', by = '_' } }",
            json!({"ok": true, "data": {"serverId": "s", "n": 1}, "text": "_a_b_"}),
        ),
        (
            "{ trim = '/data/text' }",
            json!({"ok": true, "data": {"serverId": "s", "n": 1}, "text": "a b"}),
        ),
        (
            "{ truncate = { at = '/data/text', bytes = 2 } }",
            json!({"ok": true, "data": {"serverId": "s", "n": 1}, "text": " a"}),
        ),
    ] {
        let before = json!({"ok": true, "data": {"serverId": "s", "n": 1}, "text": " a b "});
        let rules = format!("[[rule]]\non = {{ ack = '*' }}\ndo = [{act}]");
        let done = applied(&rules, ack(before), &mut Memory::default());
        assert!(done.edited, "{act}");
        assert_eq!(done.view["data"], data, "{act}");
    }
}

#[test]
fn rules_change_lists_item_by_item() {
    let answer = || {
        json!({
            "packet": "answer", "operation": "list_messages", "status": 200, "headers": {},
            "data": {"messages": [{"n": 1}, {"n": 2}, {"n": 3}]},
        })
    };
    for (acts, list) in [
        (
            "{ reverse = '/data/messages' }",
            json!([{"n": 3}, {"n": 2}, {"n": 1}]),
        ),
        ("{ remove = '/data/messages/1' }", json!([{"n": 1}, {"n": 3}])),
        (
            "{ append = { at = '/data/messages', item = { n = '{{/status}}' } } }",
            json!([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 200}]),
        ),
        (
            "{ each = { of = '/data/messages', when = [{ at = '/item/n', above = 1 }], then = ['drop'] } }",
            json!([{"n": 1}]),
        ),
        (
            "{ each = { of = '/data/messages', when = [{ at = '/item/n', is = 2 }], then = ['duplicate', \
             { add = { at = '/item/n', amount = 5 } }] } }",
            json!([{"n": 1}, {"n": 7}, {"n": 7}, {"n": 3}]),
        ),
    ] {
        let rules = format!("[[rule]]\non = {{ answer = 'list_messages' }}\ndo = [{acts}]");
        let done = applied(&rules, answer(), &mut Memory::default());
        assert!(done.edited);
        assert_eq!(done.view["data"]["messages"], list, "{acts}");
    }
    let rules = "[[rule]]\non = { answer = 'list_messages' }\n\
                 do = [{ status = 500 }, { header = { name = 'x-a', to = 'b' } }]";
    let done = applied(rules, answer(), &mut Memory::default());
    assert_eq!(
        (&done.view["status"], &done.view["headers"]),
        (&json!(500), &json!({"x-a": "b"}))
    );
}

#[test]
fn an_observation_counts_from_the_next_one_on_and_is_of_what_came_in() {
    let rules = "[[observe]]\nname = 'sent'\non = { ack = 'message:send' }\n\
                 of = ['/conn/user', '/data/data/clientId']\nkeep = '{{/data/data/serverId}}'\n\
                 [[rule]]\non = { ack = 'message:send' }\n\
                 when = [{ seen = 'sent', of = ['/conn/user', '/data/data/clientId'] }]\n\
                 do = [{ set = { at = '/data/data/serverId', to = '{{/seen/sent/first}} again' } }]";
    let mut memory = Memory::default();
    let mut told = Vec::new();
    for n in 0..3 {
        let one = ack(json!({"ok": true, "data": {"clientId": "k", "serverId": format!("s{n}")}}));
        let done = applied(rules, one, &mut memory);
        told.push(done.view["data"]["data"]["serverId"].clone());
    }
    assert_eq!(told, ["s0", "s0 again", "s0 again"]);
}

#[test]
fn what_goes_elsewhere_is_told_as_an_effect() {
    let rules = "[[rule]]\non = { request = 'typing:start' }\n\
                 do = [{ inject = { event = 'typing:update', data = { userId = '{{/conn/user}}' } } }, 'cut', \
                 { reply = { ok = true } }, { tell_server = '2' }]";
    let view = json!({"packet": "request", "event": "typing:start", "data": {}, "conn": {"user": "u"}});
    let done = applied(rules, view, &mut Memory::default());
    assert_eq!(done.times, 0);
    let [
        Effect::Inject {
            event,
            data,
            to: None,
        },
        Effect::Cut,
        Effect::Reply(ack),
        Effect::TellServer(frame),
    ] = done.effects.as_slice()
    else {
        panic!("{:?}", done.effects)
    };
    assert_eq!((event.as_str(), frame.as_str()), ("typing:update", "2"));
    assert_eq!((data, ack), (&json!({"userId": "u"}), &json!({"ok": true})));
}

#[test]
fn acts_that_make_no_sense_are_mistakes() {
    for acts in [
        "[]",
        "[{ set = { at = 'x', to = 1 } }]",
        "[{ each = { of = '/data', then = ['cut'] } }]",
        "[{ each = { of = '/data', then = [{ remove = 'x' }] } }]",
    ] {
        let rule: Rule = toml::from_str(&format!("on = {{ ack = '*' }}\ndo = {acts}")).unwrap();
        assert!(rule.check().is_err(), "{acts}");
    }
    assert!(toml::from_str::<Rule>("on = { ack = '*' }\ndo = ['explode']").is_err());
    assert!(toml::from_str::<Rule>("on = { answer = 'no_such' }\ndo = ['drop']").is_err());
}
