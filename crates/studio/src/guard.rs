//! Which requests are answered at all: those that the studio's own page sends, or a program that has the token.
//! Other pages in the same browser, names that were bound to this machine and proxies nobody named are not.

use axum::http::{HeaderMap, Method, Uri, header};

/// Names under which the studio may be reached, beside those of the machine itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(pub(crate) Vec<String>);

impl Hosts {
    /// Whether a request's headers are those of a page of ours: why not, if they are not.
    pub(crate) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), &'static str> {
        // The target is a path: a whole address, or `*`, is for proxies.
        if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
            return Err("This is no proxy.");
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err("The request has no Host, or several.");
        };
        let host = host.to_str().map_err(|_| "The request's Host is no name.")?;
        if !self.knows(host) {
            return Err("The studio is not known by this name. Start it with --host NAME.");
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next().map(|origin| origin.to_str()), origins.next()) {
            (None, _) => {}
            (Some(Ok(origin)), None)
                if [format!("http://{host}"), format!("https://{host}")]
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(origin)) => {}
            _ => return Err("Another page may not ask the studio for anything."),
        }
        let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
        let navigates = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
        let to_page = method == Method::GET && uri.path() == "/" && navigates;
        match site {
            None | Some(b"same-origin" | b"none") => Ok(()),
            // Links, and proxies that lead back after a login, may open the page itself.
            Some(_) if to_page => Ok(()),
            Some(_) => Err("Another page may not ask the studio for anything."),
        }
    }

    /// Whether a Host is a name of this machine, with any port, or one of those that were given.
    fn knows(&self, host: &str) -> bool {
        let (name, port) = match host.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((name, port)) => (name, port),
                None => return false,
            },
            None => {
                host.split_once(':').map_or((host, ""), |(name, _)| (name, &host[name.len()..]))
            }
        };
        let port = port.strip_prefix(':').unwrap_or(port);
        if port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        let own = ["localhost", "127.0.0.1", "::1"];
        let bracketed = host.starts_with('[');
        match name.as_str() {
            "::1" => bracketed,
            _ if bracketed => false,
            name => own.contains(&name) || self.0.iter().any(|own| own.eq_ignore_ascii_case(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)], path: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, value.parse().unwrap());
        }
        let hosts = Hosts(vec!["dreams.example".into()]);
        hosts.check(&Method::GET, &path.parse().unwrap(), &map).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8037",
            "127.0.0.1:1",
            "localhost",
            "LOCALHOST:8037",
            "[::1]",
            "[::1]:8037",
            "dreams.example",
            "Dreams.Example:443",
        ] {
            assert!(check(&[("host", host)], "/"), "{host}");
        }
        for host in [
            "",
            " ",
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "localhost.",
            "127.0.0.1.",
            "127.1",
            "127.0.0.2",
            "0.0.0.0",
            "0.0.0.0:8037",
            "2130706433",
            "0x7f000001",
            "::1",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[localhost]",
            "[::1",
            "[::1]x",
            "user@localhost",
            "localhost@evil.example",
            "localhost:80:80",
            "localhost:",
            "localhost:808037",
            "localhost:80a",
            "localhost,evil.example",
            "127.0.0.1 evil.example",
            "dreams.example.evil",
            "xdreams.example",
            "127.0.0.1/",
            "127.0.0.1#",
        ] {
            let passes = check(&[("host", host)], "/");
            // An empty port is what some clients send; it names the machine all the same.
            assert_eq!(passes, host == "localhost:", "{host}");
        }
        assert!(!check(&[], "/"));
        assert!(!check(&[("host", "localhost"), ("host", "localhost")], "/"));
        assert!(!check(&[("host", "localhost")], "http://localhost/"));
        assert!(!check(&[("host", "localhost")], "*"));
    }

    #[test]
    fn other_pages_are_refused() {
        let host = ("host", "127.0.0.1:8037");
        assert!(check(&[host, ("origin", "http://127.0.0.1:8037")], "/api/state"));
        assert!(check(&[host, ("origin", "https://127.0.0.1:8037")], "/api/state"));
        for origin in [
            "null",
            "http://127.0.0.1:8038",
            "http://127.0.0.1",
            "http://localhost:8037",
            "http://evil.example",
            "file://",
            "",
        ] {
            assert!(!check(&[host, ("origin", origin)], "/api/state"), "{origin}");
        }
        let site = |site, mode, path| {
            check(&[host, ("sec-fetch-site", site), ("sec-fetch-mode", mode)], path)
        };
        assert!(site("same-origin", "cors", "/api/state"));
        assert!(site("none", "navigate", "/"));
        assert!(site("cross-site", "navigate", "/"));
        assert!(!site("cross-site", "no-cors", "/"));
        assert!(!site("cross-site", "navigate", "/api/state"));
        assert!(!site("same-site", "cors", "/api/state"));
    }
}
