//! What `weir cluster` is asked for.

use super::peer::Login;

/// What to do, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) task: Task,
    /// Addresses of nodes, each as `HOST:PORT`.
    pub(super) nodes: Vec<String>,
    /// As whom to connect; none if nobody asks.
    pub(super) login: Option<Login>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Status,
    /// `to` is the node that is to lead; the best one if none is named.
    Failover {
        to: Option<String>,
    },
}

/// Where a node is that nobody names.
const HERE: &str = "127.0.0.1:6379";

impl Arguments {
    /// Reads them; nothing if they are not understood. `password` is the one of the environment.
    pub(super) fn parse(arguments: &[String], password: Option<String>) -> Option<Arguments> {
        let mut arguments = arguments.iter().map(String::as_str);
        let task = arguments.next()?;
        let mut nodes = vec![HERE.to_owned()];
        let (mut user, mut password, mut to) = (None, password, None);
        while let Some(option) = arguments.next() {
            let value = arguments.next()?;
            match option {
                "--nodes" => nodes = value.split(',').map(str::to_owned).collect(),
                "--user" => user = Some(value.to_owned()),
                "--password" => password = Some(value.to_owned()),
                "--to" => to = Some(value.to_owned()),
                _ => return None,
            }
        }
        let task = match task {
            "status" if to.is_none() => Task::Status,
            "failover" => Task::Failover { to },
            _ => return None,
        };
        let user = user.unwrap_or_else(|| "default".to_owned());
        let login = password.map(|password| Login { user, password });
        Some(Arguments { task, nodes, login })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, password: Option<&str>) -> Option<Arguments> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words, password.map(str::to_owned))
    }

    #[test]
    fn arguments_say_what_where_and_as_whom() {
        let here = parsed("status", None).unwrap();
        assert_eq!(
            (here.task, here.nodes),
            (Task::Status, vec![HERE.to_owned()])
        );
        assert_eq!(here.login, None);
        let line = "failover --nodes a:1,b:2 --to b:2 --user ann";
        let there = parsed(line, Some("secret")).unwrap();
        let to = Some("b:2".to_owned());
        assert_eq!(there.task, Task::Failover { to });
        assert_eq!(there.nodes, ["a:1", "b:2"]);
        let login = there.login.unwrap();
        assert_eq!((&*login.user, &*login.password), ("ann", "secret"));
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for line in ["", "stat", "status --to a:1", "failover --to", "status a:1"] {
            assert_eq!(parsed(line, None), None, "{line}");
        }
    }
}
