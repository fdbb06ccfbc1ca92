//! Tables as docker printed them in 2015: names with their `:latest`, ports of IPv4 alone.

/// The columns of `images`; newer clients print other ones unless they are named.
pub const IMAGES: &str = "table {{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}";

const TITLES: &[&str] = &["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES", "SIZE"];
const IMAGE: usize = 1;
const PORTS: usize = 5;

/// The table's columns were at least this wide, with this much between them.
const LEAST_WIDTH: usize = 20;
const GAP: usize = 3;

/// `docker ps`: each image with its tag. `None` for a table with other columns.
pub fn containers(text: &str) -> Option<String> {
    let starts = columns(text.lines().next()?)?;
    let rows = text.lines().enumerate().map(|(place, line)| {
        let mut cells = cells(line, &starts);
        if place > 0 {
            cells[IMAGE] = with_tag(&cells[IMAGE]);
            cells[PORTS] = without_ipv6(&cells[PORTS]);
        }
        cells
    });
    Some(laid_out(&rows.collect::<Vec<_>>()))
}

/// `docker port`: a line for IPv6 goes where there is one for IPv4.
pub fn ports(text: &str) -> Option<String> {
    let split = |line: &str| line.rfind(['[', ' ']).map_or((0, line.to_owned()), |place| (place, line[place..].trim().to_owned()));
    let is_ipv6 = |line: &str| {
        let (_, address) = split(line);
        address.starts_with(":::") || address.starts_with('[')
    };
    let has_ipv4 = |line: &str| {
        let start = line.find("-> ").map_or("", |place| &line[..place]);
        text.lines().any(|other| !is_ipv6(other) && other.starts_with(start))
    };
    let kept = text.lines().filter(|line| !is_ipv6(line) || !has_ipv4(line));
    Some(kept.map(|line| format!("{line}\n")).collect())
}

/// What `commit` and `import` print: the id alone, from which plugins cut its first twelve letters.
pub fn id(text: &str) -> Option<String> {
    text.strip_prefix("sha256:").map(str::to_owned)
}

/// Where each title begins.
fn columns(head: &str) -> Option<Vec<usize>> {
    let titles = if head.ends_with("SIZE") { TITLES } else { &TITLES[..TITLES.len() - 1] };
    let mut starts = Vec::new();
    for title in titles {
        let from = starts.last().map_or(0, |start| start + 1);
        starts.push(from + head.get(from..)?.find(title)?);
    }
    (starts[0] == 0).then_some(starts)
}

fn cells(line: &str, starts: &[usize]) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let ends = starts.iter().skip(1).copied().chain([letters.len()]);
    let cell = |(start, end): (&usize, usize)| {
        let end = end.min(letters.len());
        let text: String = letters[(*start).min(end)..end].iter().collect();
        text.trim_end().to_owned()
    };
    starts.iter().zip(ends).map(cell).collect()
}

/// `NAME:latest` for a name without a tag; ids and digests have none.
fn with_tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    let is_id = image.len() >= 12 && image.bytes().all(|byte| byte.is_ascii_hexdigit());
    if last.is_empty() || last.contains([':', '@']) || is_id { image.to_owned() } else { format!("{image}:latest") }
}

fn without_ipv6(ports: &str) -> String {
    let ipv6 = |port: &str| port.starts_with(":::") || port.starts_with('[');
    let parts: Vec<&str> = ports.split(", ").collect();
    let kept: Vec<&str> = parts.iter().copied().filter(|port| !ipv6(port)).collect();
    if kept.iter().any(|port| port.contains("->")) { kept.join(", ") } else { ports.to_owned() }
}

fn laid_out(rows: &[Vec<String>]) -> String {
    let length = |text: &String| text.chars().count();
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| length(&row[column]) + GAP).max().unwrap_or(0).max(LEAST_WIDTH)).collect();
    let line = |row: &Vec<String>| {
        let padded: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_show_their_tags() {
        let text = "\
CONTAINER ID   IMAGE          COMMAND                  CREATED         STATUS         PORTS                                         NAMES
a551bf4b5d16   dokku/a        \"sh -c 'cat; sleep 2…\"   1 second ago    Up 1 second    0.0.0.0:32772->5000/tcp, :::32772->5000/tcp   one
f974fde2fd5d   3059101917f5   \"true\"                   2 seconds ago   Up 1 second    6379/tcp                                      two
";
        let shown = containers(text).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("CONTAINER ID        IMAGE               COMMAND                  CREATED"), "{shown}");
        assert!(lines[1].starts_with("a551bf4b5d16        dokku/a:latest      \"sh -c 'cat; sleep 2…\"   1 second ago"), "{shown}");
        assert!(lines[1].ends_with("0.0.0.0:32772->5000/tcp   one"), "{shown}");
        assert!(lines[2].contains("3059101917f5        \"true\"") && lines[2].contains("6379/tcp "), "{shown}");
        assert_eq!(containers("ID NAME\n1 x\n"), None);
        assert_eq!(containers(""), None);
    }

    #[test]
    fn tags_are_added_to_names_alone() {
        for (image, shown) in [
            ("redis", "redis:latest"),
            ("dokku/a:v1", "dokku/a:v1"),
            ("host:5000/x", "host:5000/x:latest"),
            ("a705a7a4a001", "a705a7a4a001"),
            ("x@sha256:00", "x@sha256:00"),
            ("sha256:00", "sha256:00"),
        ] {
            assert_eq!(with_tag(image), shown);
        }
    }

    #[test]
    fn ids_do_not_name_their_digest() {
        assert_eq!(id("sha256:0123\n").unwrap(), "0123\n");
        assert_eq!(id("0123\n"), None);
    }

    #[test]
    fn ports_are_those_of_ipv4() {
        assert_eq!(ports("0.0.0.0:32772\n:::32772\n").unwrap(), "0.0.0.0:32772\n");
        assert_eq!(ports("0.0.0.0:32772\n[::]:32772\n").unwrap(), "0.0.0.0:32772\n");
        assert_eq!(ports("80/tcp -> [::]:1\n81/tcp -> 0.0.0.0:2\n81/tcp -> [::]:2\n").unwrap(), "80/tcp -> [::]:1\n81/tcp -> 0.0.0.0:2\n");
        assert_eq!(ports("[::1]:80\n").unwrap(), "[::1]:80\n");
    }
}
