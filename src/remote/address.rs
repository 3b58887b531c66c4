//! Addresses of runs on other machines: `ssh://user@host:port/folder`, in which user and port may be left out, and `~` at the
//! beginning of the folder is the user's home.

use std::fmt;
use std::path::{Path, PathBuf};

use super::RemoteError;
use crate::text::fnv1a;

const SCHEME: &str = "ssh://";

/// A folder on another machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The user there; by default the one that `ssh` takes.
    pub user: Option<String>,
    /// The machine: a name, a name in the configuration of `ssh`, or a number.
    pub host: String,
    /// The port; by default the one that `ssh` takes.
    pub port: Option<u16>,
    /// The run or the folder of runs, absolute or beginning with `~`.
    pub folder: String,
}

impl Address {
    /// The address that stands in place of a path; `None` for a path of this machine.
    ///
    /// # Errors
    /// Where the path begins as an address does and is none.
    pub fn of(path: &Path) -> Result<Option<Self>, RemoteError> {
        match path.to_str() {
            Some(text) if text.starts_with(SCHEME) => Self::parse(text).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads an address. Nothing in it is decoded: `%20` is three characters of a name.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, RemoteError> {
        let wrong = |why: &str| {
            RemoteError::Address(format!(
                "{why}: {text}; write ssh://host/folder, with user@ and :port where they are needed"
            ))
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("this is no address"))?;
        if text.contains(char::is_control) {
            return Err(wrong("an address is one line"));
        }
        let (place, folder) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let (host, port) = match place.rsplit_once(':') {
            // A number of IPv6 stands in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        // What begins with a dash would be an option of ssh.
        let is_name = |name: &str, more: &str| {
            let is_plain = |c: char| c.is_alphanumeric() || more.contains(c);
            !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain)
        };
        if !is_name(host, "-._:%") {
            return Err(wrong("the host is missing or is no name"));
        }
        if user.is_some_and(|user| !is_name(user, "-._+\\@")) {
            return Err(wrong("the user is no name"));
        }
        let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0));
        let Some(port) = port.map_or(Some(None), |port| port.map(Some)) else {
            return Err(wrong("the port is no number from 1 to 65535"));
        };
        let folder = folder.trim_end_matches('/');
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            folder: match folder.strip_prefix("/~") {
                _ if rest.ends_with('/') && folder.is_empty() => "/".to_owned(),
                _ if folder.is_empty() => "~".to_owned(),
                Some(below) if below.is_empty() || below.starts_with('/') => format!("~{below}"),
                _ => folder.to_owned(),
            },
        })
    }

    /// The folder of this machine that holds the copy, below a folder for all copies. Its last part is the name of the
    /// folder there, since runs are called by their directories.
    pub(super) fn place_in(&self, copies: &Path) -> PathBuf {
        let plain = |text: &str, other: &str| -> String {
            let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            let plain = text.chars().map(|c| if is_plain(c) { c } else { '_' });
            let plain: String = plain.skip_while(|c| *c == '.').take(60).collect();
            if plain.is_empty() {
                other.to_owned()
            } else {
                plain
            }
        };
        let name = self.folder.rsplit('/').next().unwrap_or_default();
        let key = format!("{:016x}", fnv1a(&self.to_string()));
        let host = plain(&self.host, "host");
        copies.join(host).join(key).join(plain(name, "runs"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.folder.starts_with('/') {
            true => f.write_str(&self.folder),
            false => write!(f, "/{}", self.folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, user, host, port, folder) in [
            ("ssh://h/runs/a b", None, "h", None, "/runs/a b"),
            (
                "ssh://me@h.org:2222/runs",
                Some("me"),
                "h.org",
                Some(2222),
                "/runs",
            ),
            ("ssh://h/~/runs", None, "h", None, "~/runs"),
            ("ssh://h/~", None, "h", None, "~"),
            ("ssh://[::1]:22/~other", None, "::1", Some(22), "/~other"),
            ("ssh://a@b@h/x%20y", Some("a@b"), "h", None, "/x%20y"),
            ("ssh://h/", None, "h", None, "/"),
        ] {
            let read = Address::parse(text).unwrap();
            assert_eq!(read.user.as_deref(), user, "{text}");
            assert_eq!((read.host.as_str(), read.port), (host, port), "{text}");
            assert_eq!(read.folder, folder, "{text}");
            assert_eq!(read.to_string(), text);
            assert_eq!(Address::parse(&read.to_string()).unwrap(), read);
        }
        assert_eq!(Address::parse("ssh://h").unwrap().folder, "~");
        assert_eq!(Address::parse("ssh://h/runs/").unwrap().folder, "/runs");
        assert_eq!(Address::of(Path::new("runs/ssh://h")).unwrap(), None);
    }

    #[test]
    fn an_option_of_ssh_is_no_address() {
        for text in [
            "ssh://-oProxyCommand=touch x/runs",
            "ssh://-oProxyCommand/runs",
            "ssh://-l@h/runs",
            "ssh:///runs",
            "ssh://h:0/runs",
            "ssh://h:x/runs",
            "ssh://h h/runs",
            "ssh://h/a\nb",
            "ssh://@h/x",
        ] {
            let said = Address::parse(text).unwrap_err().to_string();
            assert!(
                said.contains("ssh://host/folder") && !said.contains('\n'),
                "{said}"
            );
        }
    }

    #[test]
    fn a_copy_stays_among_the_copies() {
        for text in [
            "ssh://h/..",
            "ssh://../x",
            "ssh://h/~",
            "ssh://h/a/.hidden",
            "ssh://[::1]/",
        ] {
            let place = Address::parse(text).unwrap().place_in(Path::new("/copies"));
            let parts: Vec<_> = place
                .strip_prefix("/copies")
                .unwrap()
                .components()
                .collect();
            assert_eq!(parts.len(), 3, "{text}: {place:?}");
            let is_name =
                |part: &std::path::Component| matches!(part, std::path::Component::Normal(_));
            assert!(parts.iter().all(is_name), "{text}: {place:?}");
        }
    }
}
