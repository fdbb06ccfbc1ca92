//! The verbs that `src/tools/docker.rs` makes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::engine::{Container, Engine, Image, full_name};
use crate::options::{self, Parsed, pair};
use crate::{Answer, Failure, failure, template};

/// Does what the words say; `said` is what the story wants to be printed by the container or its log.
pub fn perform(engine: &mut Engine, words: &[String], said: &str) -> Answer {
    let (verb, rest) = match words {
        [kind, verb, rest @ ..] if kind == "image" || kind == "container" => (format!("{kind} {verb}"), rest),
        [verb, rest @ ..] => (verb.clone(), rest),
        [] => (String::new(), words),
    };
    match verb.as_str() {
        "create" => create(engine, &options::parse(rest)?).map(|id| format!("{id}\n")),
        "run" => run(engine, &options::parse(rest)?, said),
        "start" => start(engine, rest, said),
        "cp" => copy(engine, rest),
        "commit" => commit(engine, rest),
        "build" => build(engine, rest, said),
        "tag" => tag(engine, rest),
        "inspect" | "container inspect" | "image inspect" => inspect(engine, &verb, rest),
        "ps" => Ok(list_containers(engine, rest)),
        "images" => Ok(list_images(engine, rest)),
        "port" => port(engine, rest),
        "logs" | "exec" => engine.container(target(rest)).map(|_| said.to_owned()),
        "wait" => engine.container(target(rest)).map(|container| format!("{}\n", container.exit_code)),
        "update" => update(engine, rest),
        "info" => {
            let facts = json!({"LoggingDriver": "json-file", "DockerRootDir": "/var/lib/docker"});
            Ok(template::expand(rest.last().map_or("", String::as_str), &facts) + "\n")
        }
        "fake-restart" => Ok(restart(engine, target(rest))),
        "stop" => each(rest, |word| end(engine, word, 0)),
        "kill" => each(rest, |word| end(engine, word, 137)),
        "rm" => each(rest, |word| remove(engine, word, rest)),
        "rmi" => each(rest, |word| remove_image(engine, word)),
        "version" => Ok("20.10.24\n".into()),
        other => failure(format!("docker: '{other}' is not a command of the fake docker")),
    }
}

/// The first word that is no option.
fn target(words: &[String]) -> &str {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--tail" | "--since" | "-n" | "-u" | "-e" | "-w" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => return word,
        }
    }
    ""
}

/// The verb for each object; goes on after a failure, as docker does.
fn each(words: &[String], mut verb: impl FnMut(&str) -> Answer) -> Answer {
    let (mut text, mut failures) = (String::new(), Vec::new());
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        match verb(word) {
            Ok(_) => text += &format!("{word}\n"),
            Err(Failure(_, reason)) => failures.push(reason),
        }
    }
    if failures.is_empty() { Ok(text) } else { failure(failures.join("\n")) }
}

fn create(engine: &mut Engine, parsed: &Parsed) -> Answer {
    let Ok(image) = engine.image(&parsed.image).cloned() else {
        let (name, text) = (full_name(&parsed.image), "Error response from daemon: pull access denied");
        return failure(format!("Unable to find image '{name}' locally\n{text} for {}", parsed.image));
    };
    let (env, id) = (parsed.env()?, engine.new_id('c'));
    let place = engine.place();
    let host_ports = (0..).map(|count| u16::try_from(49152 + place * 8 + count).expect("a story makes few containers"));
    let ports = parsed.values(&["-p", "--publish"]).map(|port| port.rsplit(':').next().unwrap_or(port).to_owned());
    let name = parsed.values(&["--name"]).last().map_or_else(|| format!("container_{place}"), str::to_owned);
    let mut labels = image.labels.clone();
    labels.extend(parsed.labels());
    let ports = ports.zip(host_ports).collect();
    let address = engine.free_address();
    let (words, command) = (parsed.words.clone(), parsed.command.clone());
    engine.copy_files(&image.id, &id);
    engine.state.containers.push(Container {
        id: id.clone(),
        name,
        image: parsed.image.clone(),
        image_id: image.id,
        options: words,
        command,
        labels,
        env,
        ports,
        address,
        restart: parsed.values(&["--restart"]).last().unwrap_or_default().to_owned(),
        status: "created".into(),
        exit_code: 0,
    });
    Ok(id)
}

fn run(engine: &mut Engine, parsed: &Parsed, said: &str) -> Answer {
    let id = create(engine, parsed).map_err(|Failure(_, text)| Failure(125, text))?;
    if parsed.has(&["-d", "--detach"]) {
        engine.container(&id)?.status = "running".into();
        return Ok(format!("{id}\n"));
    }
    engine.container(&id)?.status = "exited".into();
    if parsed.has(&["--rm"]) {
        forget(engine, &id);
    }
    Ok(said.to_owned())
}

fn start(engine: &mut Engine, words: &[String], said: &str) -> Answer {
    let attached = words.iter().any(|word| word == "-a" || word == "-ai" || word == "--attach");
    if engine.container(target(words))?.status == "exited" {
        let address = engine.free_address();
        engine.container(target(words))?.address = address;
    }
    let container = engine.container(target(words))?;
    container.status = if attached { "exited" } else { "running" }.into();
    Ok(if attached { said.to_owned() } else { format!("{}\n", target(words)) })
}

fn update(engine: &mut Engine, words: &[String]) -> Answer {
    let policy = words.iter().find_map(|word| word.strip_prefix("--restart=")).unwrap_or_default().to_owned();
    each(words, |word| {
        engine.container(word)?.restart.clone_from(&policy);
        Ok(String::new())
    })
}

/// What a real engine does at its start, seen with 20.10: after a clean end it starts what is to be started, and gives out
/// addresses and ports in another order; after a crash (`crash`) it ends all that still runs, and starts none of it.
fn restart(engine: &mut Engine, how: &str) -> String {
    let running: Vec<usize> =
        (0..engine.state.containers.len()).filter(|place| engine.state.containers[*place].status == "running").collect();
    let mut addresses: Vec<String> = running.iter().map(|place| engine.state.containers[*place].address.clone()).collect();
    let by = addresses.len().min(1);
    addresses.rotate_left(by);
    for (place, address) in running.into_iter().zip(addresses) {
        let container = &mut engine.state.containers[place];
        container.address = address;
        container.ports.values_mut().for_each(|port| *port += 100);
        let comes_back = how != "crash" && matches!(container.restart.as_str(), "always" | "unless-stopped");
        container.status = if comes_back { "running" } else { "exited" }.into();
    }
    String::new()
}

/// `cp - ID:PATH` unpacks a tar, `cp ID:PATH -` makes one.
fn copy(engine: &mut Engine, words: &[String]) -> Answer {
    let [from, to] = words else { return failure("\"docker cp\" requires exactly 2 arguments.") };
    if from == "-" {
        let place = inside(engine, to)?;
        let unpacked = tar::Archive::new(std::io::stdin().lock()).unpack(place);
        return unpacked.map(|()| String::new()).or_else(|error| failure(format!("Error response from daemon: {error}")));
    }
    let place = inside(engine, from)?;
    let Ok(kind) = std::fs::symlink_metadata(&place) else {
        return failure(format!("Error: No such container:path: {from}"));
    };
    let (mut tar, name) = (tar::Builder::new(std::io::stdout().lock()), place.file_name().unwrap_or_default());
    tar.follow_symlinks(false);
    let packed = if kind.is_dir() { tar.append_dir_all(name, &place) } else { tar.append_path_with_name(&place, name) };
    packed.and_then(|()| tar.finish()).map(|()| String::new()).or_else(|error| failure(error.to_string()))
}

fn inside(engine: &mut Engine, word: &str) -> Result<std::path::PathBuf, Failure> {
    let Some((id, path)) = word.split_once(':') else { return failure("must specify at least one container source") };
    let id = engine.container(id)?.id.clone();
    Ok(engine.files(&id).join(path.trim_start_matches('/')))
}

fn commit(engine: &mut Engine, words: &[String]) -> Answer {
    let (mut changes, mut plain, mut at) = (Vec::new(), Vec::new(), words.iter());
    while let Some(word) = at.next() {
        match word.as_str() {
            "--change" | "-c" => changes.extend(at.next()),
            word if word.starts_with('-') => {}
            word => plain.push(word.to_owned()),
        }
    }
    let container = engine.container(plain.first().map_or("", String::as_str))?.clone();
    let mut labels = container.labels;
    labels.extend(changes.iter().filter_map(|change| change.strip_prefix("LABEL ")).filter_map(label));
    let name = plain.get(1).cloned().unwrap_or_default();
    let id = engine.add_image(&name, labels);
    engine.copy_files(&container.id, &id);
    Ok(format!("{id}\n"))
}

/// `KEY=VALUE` of a LABEL instruction, the value perhaps in double quotes.
fn label(change: &str) -> Option<(String, String)> {
    pair(change).map(|(key, value)| (key, value.trim_matches('"').to_owned()))
}

fn build(engine: &mut Engine, words: &[String], said: &str) -> Answer {
    if !Path::new("Dockerfile").exists() {
        return failure("unable to prepare context: unable to evaluate symlinks in Dockerfile path");
    }
    let labels = after(words, "--label").filter_map(pair).collect();
    let id = engine.add_image(after(words, "-t").last().unwrap_or_default(), labels);
    let copied = std::process::Command::new("/bin/cp").args(["-a", "."]).arg(engine.files(&id)).status();
    assert!(copied.is_ok_and(|status| status.success()), "the context can be copied");
    Ok(said.to_owned())
}

fn tag(engine: &mut Engine, words: &[String]) -> Answer {
    let [image, name] = words else { return failure("\"docker tag\" requires exactly 2 arguments.") };
    let id = engine.image(image)?.id.clone();
    engine.give_name(&id, name);
    Ok(String::new())
}

fn inspect(engine: &mut Engine, verb: &str, words: &[String]) -> Answer {
    let (mut format, mut plain, mut at) = (None, Vec::new(), words.iter());
    while let Some(word) = at.next() {
        match word.as_str() {
            "--format" | "-f" => format = at.next().cloned(),
            word => match word.strip_prefix("--format=").or_else(|| word.strip_prefix("-f=")) {
                Some(value) => format = Some(value.to_owned()),
                None => plain.push(word.to_owned()),
            },
        }
    }
    let mut objects = Vec::new();
    for word in &plain {
        objects.push(object(engine, verb, word)?);
    }
    Ok(match format {
        Some(format) => objects.iter().map(|object| template::expand(&format, object) + "\n").collect(),
        None => format!("{}\n", Value::Array(objects)),
    })
}

fn object(engine: &mut Engine, verb: &str, word: &str) -> Result<Value, Failure> {
    match verb {
        "container inspect" => engine.container(word).map(|container| of_container(container)),
        "image inspect" => engine.image(word).map(|image| of_image(image)),
        _ => engine.container(word).map(|container| of_container(container)).or_else(|_| match engine.image(word) {
            Ok(image) => Ok(of_image(image)),
            Err(_) => failure(format!("Error: No such object: {word}")),
        }),
    }
}

fn of_image(image: &Image) -> Value {
    json!({"Id": image.id, "RepoTags": image.names, "Config": {"Labels": image.labels}})
}

fn of_container(container: &Container) -> Value {
    let running = container.status == "running";
    let address = if running { container.address.as_str() } else { "" };
    let env: Vec<String> = container.env.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let port = |host: &u16| json!([{"HostIp": "0.0.0.0", "HostPort": host.to_string()}]);
    let ports: BTreeMap<String, Value> = container.ports.iter().map(|(port_of, host)| (format!("{port_of}/tcp"), port(host))).collect();
    json!({
        "Id": container.id, "Name": format!("/{}", container.name), "Image": container.image_id,
        "State": {
            "Status": container.status, "Running": running, "Restarting": container.status == "restarting",
            "ExitCode": container.exit_code,
        },
        "HostConfig": {"RestartPolicy": {"Name": container.restart}},
        "Config": {"Image": container.image, "Labels": container.labels, "Env": env, "Cmd": container.command},
        "NetworkSettings": {"IPAddress": address, "Ports": ports, "Networks": {"bridge": {"IPAddress": address}}},
        "Options": container.options,
    })
}

/// The words that follow an option.
fn after<'a>(words: &'a [String], option: &'static str) -> impl Iterator<Item = &'a str> {
    words.iter().zip(words.iter().skip(1)).filter(move |(word, _)| *word == option).map(|(_, value)| value.as_str())
}

/// The values of `-f` and `--filter`.
fn filters(words: &[String]) -> Vec<(String, String)> {
    let spaced = after(words, "-f").chain(after(words, "--filter"));
    let joined = words.iter().filter_map(|word| word.strip_prefix("--filter="));
    spaced.chain(joined).filter_map(pair).collect()
}

fn labelled(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|known| known == value),
        None => labels.contains_key(wanted),
    }
}

fn list_containers(engine: &Engine, words: &[String]) -> String {
    let (all, filters) = (words.iter().any(|word| word == "-a" || word == "-aq"), filters(words));
    let by_status = filters.iter().any(|(key, _)| key == "status");
    let passes = |container: &&Container| {
        (all || by_status || container.status == "running")
            && filters.iter().all(|(key, value)| match key.as_str() {
                "label" => labelled(&container.labels, value),
                "status" => container.status == *value,
                "name" => container.name.contains(value),
                "id" => container.id.starts_with(value),
                "ancestor" => container.image_id == *value || full_name(&container.image) == full_name(value),
                other => panic!("the fake docker does not know the filter {other}"),
            })
    };
    let label = |container: &Container, name: &str| container.labels.get(name).cloned().unwrap_or_default();
    let line = |container: &Container| {
        let id = shown_id(&container.id, words);
        let Some(format) = after(words, "--format").next() else { return id.to_owned() };
        let fields = format.replace("{{.Label ", "{{.Label:");
        let field = |field: &str| match field.strip_prefix("{{.Label:\"").and_then(|rest| rest.strip_suffix("\"}}")) {
            Some(name) => label(container, name),
            None if field == "{{.ID}}" => id.to_owned(),
            None => panic!("the fake docker does not know the format {format}"),
        };
        fields.split(' ').map(field).collect::<Vec<_>>().join(" ")
    };
    engine.state.containers.iter().rev().filter(passes).map(|container| line(container) + "\n").collect()
}

fn list_images(engine: &Engine, words: &[String]) -> String {
    let filters = filters(words);
    let passes = |image: &&Image| {
        filters.iter().all(|(key, value)| match key.as_str() {
            "label" => labelled(&image.labels, value),
            "dangling" => image.names.is_empty() == (value == "true"),
            "reference" => image.names.iter().any(|name| *name == full_name(value)),
            other => panic!("the fake docker does not know the filter {other}"),
        })
    };
    engine.state.images.iter().rev().filter(passes).map(|image| format!("{}\n", shown_id(&image.id, words))).collect()
}

fn shown_id<'a>(id: &'a str, words: &[String]) -> &'a str {
    if words.iter().any(|word| word == "--no-trunc") { id } else { &id.trim_start_matches("sha256:")[..12] }
}

fn port(engine: &mut Engine, words: &[String]) -> Answer {
    let [id, port] = words else { return failure("\"docker port\" requires 2 arguments here.") };
    match engine.container(id)?.ports.get(port.trim_end_matches("/tcp")) {
        Some(host) => Ok(format!("0.0.0.0:{host}\n:::{host}\n")),
        None => failure(format!("Error: No public port '{port}' published for {id}")),
    }
}

fn end(engine: &mut Engine, word: &str, code: i32) -> Answer {
    let container = engine.container(word)?;
    if container.status == "running" {
        (container.status, container.exit_code) = ("exited".into(), code);
    } else if code != 0 {
        return failure(format!("Error response from daemon: Cannot kill container: {word}: Container {word} is not running"));
    }
    Ok(String::new())
}

fn remove(engine: &mut Engine, word: &str, words: &[String]) -> Answer {
    let container = engine.container(word)?;
    if container.status == "running" && !words.iter().any(|word| word == "-f") {
        return failure(format!("Error response from daemon: You cannot remove a running container {}.", container.id));
    }
    let id = container.id.clone();
    forget(engine, &id);
    Ok(String::new())
}

fn forget(engine: &mut Engine, id: &str) {
    engine.state.containers.retain(|container| container.id != id);
    engine.drop_files(id);
}

fn remove_image(engine: &mut Engine, word: &str) -> Answer {
    let image = engine.image(word)?.clone();
    let name = full_name(word);
    if image.names.contains(&name) && image.names.len() > 1 {
        engine.image(word)?.names.retain(|known| *known != name);
        return Ok(String::new());
    }
    if let Some(user) = engine.state.containers.iter().find(|container| container.image_id == image.id) {
        let text = "Error response from daemon: conflict: unable to delete";
        return failure(format!("{text} {word} (cannot be forced) - image is being used by container {}", user.id));
    }
    engine.state.images.retain(|known| known.id != image.id);
    engine.drop_files(&image.id);
    Ok(String::new())
}
