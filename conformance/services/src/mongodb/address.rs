//! Connection strings: `mongodb://user:password@host:27017,other:27018/database?options`. With their list of hosts they
//! are no URLs.

/// Where the hosts end: at the path, at the options, or at the end.
fn end_of_hosts(uri: &str) -> usize {
    let hosts = uri.find("://").map_or(0, |scheme| scheme + 3);
    uri[hosts..].find(['/', '?']).map_or(uri.len(), |end| hosts + end)
}

/// The same address with another database. One who is let in by the database that the address named before is still
/// known there.
pub(super) fn with_database(uri: &str, name: &str) -> String {
    let (hosts, rest) = uri.split_at(end_of_hosts(uri));
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let before = path.trim_start_matches('/');
    let mut options = options.to_owned();
    // The DNS may name another source for such an address, and a mechanism has its own.
    let named = |option: &str| options.to_lowercase().contains(option);
    let elsewhere = hosts.starts_with("mongodb+srv://") || named("authsource=") || named("authmechanism=");
    let identified = hosts.contains('@') && !elsewhere;
    if identified && !before.is_empty() {
        let more = format!("authSource={before}");
        options = if options.is_empty() {
            more
        } else {
            format!("{options}&{more}")
        };
    }
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{hosts}/{name}{mark}{options}")
}

/// The address as it may be shown: the hosts, whatever characters a password before them has.
pub(super) fn without_password(uri: &str) -> String {
    let hosts = uri
        .rsplit_once('@')
        .map_or_else(|| uri.split("://").nth(1), |(_, hosts)| Some(hosts));
    let hosts = hosts.unwrap_or_default();
    let end = hosts.find(['/', '?']).unwrap_or(hosts.len());
    format!("mongodb://{}", &hosts[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_takes_the_place_of_another() {
        let table = [
            ("mongodb://h:1", "mongodb://h:1/x"),
            ("mongodb://h:1/", "mongodb://h:1/x"),
            ("mongodb://h:1/old", "mongodb://h:1/x"),
            (
                "mongodb://h:1,i:2/?replicaSet=r",
                "mongodb://h:1,i:2/x?replicaSet=r",
            ),
            ("mongodb://h:1?replicaSet=r", "mongodb://h:1/x?replicaSet=r"),
            ("mongodb+srv://u:p@h/old", "mongodb+srv://u:p@h/x"),
            ("mongodb://u:p@h/old", "mongodb://u:p@h/x?authSource=old"),
            (
                "mongodb://u:p@h/old?tls=true",
                "mongodb://u:p@h/x?tls=true&authSource=old",
            ),
            (
                "mongodb://u:p@h/old?authSource=admin",
                "mongodb://u:p@h/x?authSource=admin",
            ),
        ];
        for (before, after) in table {
            assert_eq!(with_database(before, "x"), after);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (uri, shown) in [
            ("mongodb://u:p@h:1/x", "mongodb://h:1"),
            ("mongodb://u:p?/q@h:1,i:2/x?tls=true", "mongodb://h:1,i:2"),
            ("mongodb://h:1/x?tlsCertificateKeyFilePassword=p", "mongodb://h:1"),
        ] {
            assert_eq!(without_password(uri), shown);
        }
    }
}
