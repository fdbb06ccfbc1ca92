//! Is an app whole? What is on record, what nginx is told, what runs and what its image is must be one release, and nothing
//! may be left of another one.

use std::collections::BTreeSet;
use std::fs;

use super::Sandbox;

/// What an app serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// The content of the file `version` in its container, without the newline.
    pub version: String,
    /// What master of its repository has there.
    pub master: String,
}

impl Sandbox {
    /// The release that the app serves, or what does not agree with what.
    pub fn whole(&self, app: &str) -> Result<Whole, String> {
        let record = |entry: &str| fs::read_to_string(self.home().join(app).join(entry)).map(|text| text.trim().to_owned());
        let record = |entry: &str| record(entry).map_err(|error| format!("{entry}: {error}"));
        let (id, ip, port) = (record("CONTAINER")?, record("IP")?, record("PORT")?);
        let same = |what: &str, one: &str, other: &str| if one == other { Ok(()) } else { Err(format!("{what}: {one:?} and {other:?}")) };
        same("containers", &self.running(app).join(" "), &id)?;
        let container = self.inspect(&id);
        same("addresses", container["NetworkSettings"]["IPAddress"].as_str().unwrap_or_default(), &ip)?;
        same("URL", &record("URL")?, &format!("http://dokku.test:{port}"))?;
        let image = self.docker(["image", "inspect", "--format", "{{.Id}}", &format!("dokku/{app}")]);
        same("images", container["Image"].as_str().unwrap_or_default(), &image)?;
        let nginx = record("nginx.conf")?;
        let upstream = format!("upstream {app} {{ server {ip}:{port}; }}");
        same("nginx.conf", nginx.lines().last().unwrap_or_default(), &upstream)?;
        self.names_agree(app, &nginx)?;
        let copied =
            format!("for path in /app/version /version; do docker cp {id}:$path - 2>/dev/null | tar -xO 2>/dev/null && exit; done");
        let version =
            self.fake_docker("bash").args(["-c", &copied]).output().map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
        let shown = self.run_program("git", ["-C", app, "-c", "safe.directory=*", "show", "master:version"]);
        let master = String::from_utf8_lossy(shown.stdout()).trim().to_owned();
        Ok(Whole { version: version.map_err(|error| error.to_string())?.trim().to_owned(), master })
    }

    /// Domains, URLs, certificate and nginx.conf tell of the same.
    fn names_agree(&self, app: &str, nginx: &str) -> Result<(), String> {
        let words = |entry: &str| self.read(&format!("{app}/{entry}")).split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        let (domains, urls) = (words("VHOST"), words("URLS"));
        for domain in &domains {
            let url = |scheme: &str| urls.contains(&format!("{scheme}://{domain}"));
            if !nginx.contains(domain.as_str()) || !(url("http") || url("https")) {
                return Err(format!("{domain} is not everywhere: {urls:?} {nginx}"));
            }
        }
        let addresses = urls.iter().filter(|url| url.starts_with("http")).count();
        let tls = ["server.crt", "server.key"].map(|file| self.exists(&format!("{app}/tls/{file}")));
        let named = nginx.contains("ssl_certificate");
        if addresses != domains.len() || tls[0] != tls[1] || (named && !tls[0]) {
            return Err(format!("{urls:?} {domains:?} {tls:?} {nginx}"));
        }
        Ok(())
    }

    /// What operations have left beside the apps, once `cleanup` has been there. `apps` are those that are deployed.
    pub fn leftovers(&self, apps: &[&str]) -> Vec<String> {
        let mut left = Vec::new();
        let recorded: Vec<String> = apps.iter().map(|app| self.read(&format!("{app}/CONTAINER")).trim().to_owned()).collect();
        let containers = self.docker(["ps", "-a", "-q", "--no-trunc", "-f", "label=dokku.app"]);
        left.extend(containers.lines().filter(|id| !recorded.iter().any(|known| known == id)).map(|id| format!("container {id}")));
        let images = self.docker(["images", "-q", "--no-trunc", "-f", "label=dokku.app"]);
        for id in images.lines() {
            let names = self.inspect(id)["RepoTags"].to_string();
            if !apps.iter().any(|app| names.contains(&format!("dokku/{app}:latest"))) && names != "[]" {
                left.push(format!("image {id} {names}"));
            }
        }
        for dir in ["tmp", "lib/retire"] {
            left.extend(self.entries(dir).into_iter().map(|name| format!("{dir}/{name}")));
        }
        for journals in self.entries("lib/journal") {
            left.extend(self.entries(&format!("lib/journal/{journals}")).into_iter().map(|name| format!("journal/{journals}/{name}")));
        }
        for name in self.entries("lib/operations") {
            if fs::metadata(self.dir().join("lib/operations").join(&name)).is_ok_and(|data| data.len() > 0) {
                left.push(format!("operations/{name}"));
            }
        }
        let odd = |path: &String| {
            path.contains(".dokku-") || path.contains("tmp_objdir") || path.ends_with(".lock") && !path.ends_with("/.build.lock")
        };
        left.extend(self.tree().into_iter().filter(odd));
        left
    }

    fn entries(&self, dir: &str) -> Vec<String> {
        let entries = fs::read_dir(self.dir().join(dir)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}
