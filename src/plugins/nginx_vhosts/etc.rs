//! What dokku adds below `/etc`: nginx's include of the apps, a catch-all, and user dokku's right to reload nginx.
//! What is there stays, be it 0.3.18's or a user's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::installed::{Http2, Version};
use crate::fail::Outcome;
use crate::files::{self, passwd};
use crate::house::House;
use crate::say;
use crate::tools::nginx;

/// `/etc`, or a directory that stands for it, and what has been added to it.
pub struct Etc {
    dir: PathBuf,
    added: Vec<PathBuf>,
    /// Where the default site's link led, once it has been taken away.
    default_site: Option<PathBuf>,
}

impl Etc {
    /// That directory, with nothing added yet.
    pub fn at(dir: impl Into<PathBuf>) -> Etc {
        Etc { dir: dir.into(), added: Vec::new(), default_site: None }
    }

    fn conf_d(&self, name: &str) -> PathBuf {
        self.dir.join("nginx/conf.d").join(name)
    }

    fn main(&self) -> PathBuf {
        self.dir.join("nginx/nginx.conf")
    }

    fn dokku(&self) -> PathBuf {
        self.conf_d("dokku.conf")
    }

    fn catch_all(&self) -> PathBuf {
        self.conf_d("dokku-catch-all.conf")
    }

    fn bucket_size(&self) -> PathBuf {
        self.conf_d("server_names_hash_bucket_size.conf")
    }

    fn default_site(&self) -> PathBuf {
        self.dir.join("nginx/sites-enabled/default")
    }

    /// Lets user dokku try nginx's configuration and have it reloaded, and nothing else.
    pub fn allow_user_dokku(&self, distro: &str) -> Outcome {
        let path = self.dir.join("sudoers.d/dokku-nginx");
        files::make_dir(&self.dir.join("sudoers.d"))?;
        files::replace(&path, nginx::sudoers(distro).as_bytes(), 0o440)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440))?;
        Ok(())
    }

    /// Adds what is missing: a main file, the apps' configurations, room for long names and, on a new installation,
    /// an answer of its own for requests that are no app's.
    pub fn lay(&mut self, house: &House, version: Option<Version>, default_is_untouched: &dyn Fn() -> bool) -> Outcome {
        let fresh = !self.dokku().exists();
        files::make_dir(&self.conf_d(""))?;
        self.add(self.main(), &main_file())?;
        self.add(self.dokku(), &include(&house.root))?;
        if !sets(&self.main(), "server_names_hash_bucket_size") {
            self.add(self.bucket_size(), "server_names_hash_bucket_size 512;\n")?;
        }
        if fresh {
            self.lay_catch_all(house, version, default_is_untouched)
        } else if self.default_servers().is_empty() {
            let what = "Requests for names that are no app's go to the first app: a `default_server` of your own would answer them";
            say::verbose(house, what)
        } else {
            Ok(())
        }
    }

    fn lay_catch_all(&mut self, house: &House, version: Option<Version>, default_is_untouched: &dyn Fn() -> bool) -> Outcome {
        let site = self.default_site();
        let packaged = fs::read_link(&site).ok().filter(|target| target.ends_with("sites-available/default") && default_is_untouched());
        if let Some(other) = self.default_servers().into_iter().find(|path| packaged.is_none() || *path != site) {
            return say::verbose(house, format!("{} answers requests for names that are no app's, as before", other.display()));
        }
        if packaged.is_some() {
            say::verbose(house, format!("nginx's sample site is switched off ({} removed): what it answered gets 404", site.display()))?;
            files::remove(&site)?;
            self.default_site = packaged;
        }
        self.add(self.catch_all(), &catch_all(version))
    }

    fn add(&mut self, path: PathBuf, text: &str) -> Outcome {
        if !path.exists() {
            files::replace(&path, text.as_bytes(), 0o644)?;
            self.added.push(path);
        }
        Ok(())
    }

    /// Takes away what has been added; the default site is back.
    pub fn take_back(&self) -> Outcome {
        self.added.iter().try_for_each(|path| files::remove(path))?;
        match &self.default_site {
            Some(target) => Ok(symlink(target, self.default_site())?),
            None => Ok(()),
        }
    }

    /// Files that claim to answer for all other names.
    fn default_servers(&self) -> Vec<PathBuf> {
        let dirs = ["nginx/conf.d", "nginx/sites-enabled"].map(|dir| fs::read_dir(self.dir.join(dir)));
        let entries = dirs.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
        entries.chain([self.main()]).filter(|path| sets_word(path, "default_server")).collect()
    }
}

/// Does a configuration file set this directive, outside comments?
fn sets(path: &Path, directive: &str) -> bool {
    let text = files::text(path).unwrap_or_default();
    text.lines().any(|line| line.trim_start().starts_with(directive))
}

fn sets_word(path: &Path, word: &str) -> bool {
    let text = files::text(path).unwrap_or_default();
    text.lines().filter_map(|line| line.split('#').next()).any(|line| line.contains(word))
}

/// For a machine without any `nginx.conf`.
fn main_file() -> String {
    let user = passwd::user("www-data").map_or("nobody", |_| "www-data");
    format!(
        "user {user};
worker_processes auto;
pid /run/nginx.pid;

events {{
  worker_connections 768;
}}

http {{
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /var/log/nginx/access.log;
  error_log /var/log/nginx/error.log;

  server_tokens off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 65;
  types_hash_max_size 2048;
  gzip on;

  include /etc/nginx/conf.d/*.conf;
  include /etc/nginx/sites-enabled/*;
}}
"
    )
}

/// Directives that Debian's own `nginx.conf` sets (ssl_protocols and its kin) are left to it: nginx takes none twice.
fn include(root: &Path) -> String {
    let root = root.display();
    format!(
        "include {root}/*/nginx.conf;

ssl_session_cache shared:SSL:20m;
ssl_session_timeout 10m;

# One certificate for all apps: put it there and take the # away.
# ssl_certificate {root}/tls/server.crt;
# ssl_certificate_key {root}/tls/server.key;
"
    )
}

/// Answers for names that are no app's: 404, and over TLS nobody's certificate.
fn catch_all(version: Option<Version>) -> String {
    let plain = "server {
  listen [::]:80 default_server;
  listen 80 default_server;
  server_name _;
  return 404;
}
";
    if !version.is_some_and(Version::rejects_handshakes) {
        return plain.to_owned();
    }
    let Http2 { parameter, directive } = Http2::of(version);
    let directive = if directive.is_empty() { String::new() } else { format!("  {directive}\n") };
    format!(
        "{plain}
server {{
  listen [::]:443 ssl{parameter} default_server;
  listen 443 ssl{parameter} default_server;
{directive}  server_name _;
  ssl_reject_handshake on;
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Env;
    use crate::io::{Fd, Io};

    /// A directory in place of `/etc`, and a house whose output nobody sees.
    fn machine() -> (tempfile::TempDir, House) {
        let dir = tempfile::tempdir().unwrap();
        let (null, env) = (Fd::null().unwrap(), Env::from([("DOKKU_ROOT".into(), "/home/dokku".into())]));
        let house = House::from_env(env, Io { stdin: null.clone(), stdout: null.clone(), stderr: null }).unwrap();
        for part in ["sites-enabled", "sites-available", "conf.d"] {
            fs::create_dir_all(dir.path().join("nginx").join(part)).unwrap();
        }
        fs::write(dir.path().join("nginx/sites-available/default"), "server { listen 80 default_server; }\n").unwrap();
        symlink("../sites-available/default", dir.path().join("nginx/sites-enabled/default")).unwrap();
        (dir, house)
    }

    fn lay(dir: &tempfile::TempDir, house: &House, untouched: bool) -> Etc {
        let mut etc = Etc::at(dir.path());
        etc.lay(house, Version::parse("nginx/1.22.1"), &|| untouched).unwrap();
        etc
    }

    #[test]
    fn a_new_installation_gets_all_and_can_be_taken_back() {
        let (dir, house) = machine();
        let etc = lay(&dir, &house, true);
        assert!(fs::symlink_metadata(etc.default_site()).is_err());
        assert!(sets(&etc.dokku(), "include /home/dokku/*/nginx.conf;"));
        let text = fs::read_to_string(etc.catch_all()).unwrap();
        assert!(text.contains("listen 80 default_server;") && text.contains("listen 443 ssl http2 default_server;"));
        etc.take_back().unwrap();
        assert!(etc.default_site().exists() && !etc.main().exists() && !etc.dokku().exists() && !etc.catch_all().exists());
    }

    #[test]
    fn a_second_run_changes_nothing_and_takes_nothing_back() {
        let (dir, house) = machine();
        let etc = lay(&dir, &house, true);
        let files = [etc.main(), etc.dokku(), etc.catch_all(), etc.bucket_size()];
        files.iter().for_each(|path| fs::write(path, "mine\n").unwrap());
        lay(&dir, &house, true).take_back().unwrap();
        assert!(files.iter().all(|path| fs::read(path).unwrap() == b"mine\n"));
    }

    #[test]
    fn a_server_that_is_taken_over_is_only_told() {
        let (dir, house) = machine();
        fs::write(dir.path().join("nginx/nginx.conf"), "server_names_hash_bucket_size 64;\n").unwrap();
        fs::write(dir.path().join("nginx/conf.d/dokku.conf"), "# of 0.3.18\n").unwrap();
        let etc = lay(&dir, &house, true);
        assert!(etc.added.is_empty() && etc.default_site().exists(), "{:?}", etc.added);
    }

    #[test]
    fn a_default_server_of_somebody_s_own_stays_the_default() {
        for (untouched, own) in [(false, ""), (true, "server { listen 80 default_server; }\n")] {
            let (dir, house) = machine();
            fs::write(dir.path().join("nginx/sites-enabled/own"), own).unwrap();
            let etc = lay(&dir, &house, untouched);
            assert!(!etc.catch_all().exists() && etc.default_site().exists());
        }
    }

    #[test]
    fn user_dokku_may_do_what_it_must() {
        let (dir, _) = machine();
        Etc::at(dir.path()).allow_user_dokku("ubuntu").unwrap();
        let path = dir.path().join("sudoers.d/dokku-nginx");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "%dokku ALL=(ALL) NOPASSWD:/etc/init.d/nginx reload, /usr/sbin/nginx -t, /usr/sbin/nginx -s reload\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o440);
    }
}
