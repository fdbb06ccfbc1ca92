//! What an installation gives nginx. Runs as root; what is there stays, be it 0.3.18's or a user's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::installed::{Http2, Version};
use super::service;
use crate::args::Args;
use crate::cmd::Cmd;
use crate::fail::{Fail, Outcome};
use crate::files::{self, kept::Kept, passwd};
use crate::house::House;
use crate::tools::{nginx, packages};
use crate::{exec, say};

/// The hook `dependencies`.
pub fn dependencies(house: &House, _: &Args) -> Outcome {
    if !service::is_missing() && which::which("dig").is_ok() {
        return Ok(());
    }
    match house.distro.as_str() {
        "ubuntu" => {
            exec::run(house, &packages::apt_update())?;
            exec::run(house, &packages::apt_install(&["nginx", "bind9-dnsutils"]))
        }
        "opensuse" => exec::run(house, &packages::zypper_install(&["nginx", "bind-utils"])),
        _ => Ok(()),
    }
}

/// The hook `install`. All of it or, when nginx refuses what was laid down, nothing.
pub fn run(house: &House, _: &Args) -> Outcome {
    if service::is_missing() {
        return Err(Fail::say(service::MISSING));
    }
    let etc = Etc(PathBuf::from("/etc"));
    etc.allow_user_dokku(&house.distro)?;
    let (kept, link) = (Kept::of(etc.files())?, fs::read_link(etc.default_site()).ok());
    let laid = etc.lay(house, Version::installed(house), &|| is_untouched(house));
    laid.and_then(|()| try_configuration(house)).or_else(|fail| {
        kept.put_back()?;
        link.map_or(Ok(()), |target| put_link_back(&target, &etc.default_site()))?;
        Err(fail)
    })?;
    service::start(house)
}

fn put_link_back(target: &Path, link: &Path) -> Outcome {
    if fs::symlink_metadata(link).is_ok() { Ok(()) } else { Ok(symlink(target, link)?) }
}

fn try_configuration(house: &House) -> Outcome {
    let said = exec::captured(house, &Cmd::new(nginx::PROGRAM).arg("-t"))?;
    let complaint = String::from_utf8_lossy(&said.stderr);
    let what = format!("{}\nnginx refuses its configuration with what dokku adds to it; nothing has been added", complaint.trim_end());
    if said.code == 0 { Ok(()) } else { Err(Fail::Said(said.code, what)) }
}

/// Is Debian's default site as the package has it?
fn is_untouched(house: &House) -> bool {
    let said = exec::captured(house, &packages::dpkg_verify("nginx-common"));
    said.is_ok_and(|said| said.code != 127 && !String::from_utf8_lossy(&said.stdout).contains("sites-available/default"))
}

/// `/etc`, or a directory that stands for it.
struct Etc(PathBuf);

impl Etc {
    fn conf_d(&self, name: &str) -> PathBuf {
        self.0.join("nginx/conf.d").join(name)
    }

    fn main(&self) -> PathBuf {
        self.0.join("nginx/nginx.conf")
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
        self.0.join("nginx/sites-enabled/default")
    }

    /// All that `lay` may change but the default site, which is a link.
    fn files(&self) -> [PathBuf; 4] {
        [self.main(), self.dokku(), self.catch_all(), self.bucket_size()]
    }

    /// Lets user dokku try nginx's configuration and have it reloaded, and nothing else.
    fn allow_user_dokku(&self, distro: &str) -> Outcome {
        let path = self.0.join("sudoers.d/dokku-nginx");
        files::make_dir(&self.0.join("sudoers.d"))?;
        files::replace(&path, nginx::sudoers(distro).as_bytes(), 0o440)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440))?;
        Ok(())
    }

    /// Adds what is missing: a main file, the apps' configurations, room for long names and, on a new installation,
    /// an answer of its own for requests that are no app's.
    fn lay(&self, house: &House, version: Option<Version>, default_is_untouched: &dyn Fn() -> bool) -> Outcome {
        let fresh = !self.dokku().exists();
        files::make_dir(&self.0.join("nginx/conf.d"))?;
        add(&self.main(), &main_file())?;
        add(&self.dokku(), &include(&house.root))?;
        if !sets(&self.main(), "server_names_hash_bucket_size") {
            add(&self.bucket_size(), "server_names_hash_bucket_size 512;\n")?;
        }
        match fresh {
            true => self.lay_catch_all(house, version, default_is_untouched),
            false if !self.catch_all().exists() => say::verbose(
                house,
                "Requests for names that are no app's go to the first app: a `default_server` of your own would answer them",
            ),
            false => Ok(()),
        }
    }

    fn lay_catch_all(&self, house: &House, version: Option<Version>, default_is_untouched: &dyn Fn() -> bool) -> Outcome {
        let site = self.default_site();
        let packaged = fs::read_link(&site).is_ok_and(|target| target.ends_with("sites-available/default")) && default_is_untouched();
        if let Some(other) = self.default_servers().into_iter().find(|path| !(packaged && *path == site)) {
            return say::verbose(house, format!("{} answers requests for names that are no app's, as before", other.display()));
        }
        if packaged {
            say::verbose(
                house,
                format!("nginx's sample site is switched off ({} removed): dokku answers what it answered, with 404", site.display()),
            )?;
            files::remove(&site)?;
        }
        files::replace(&self.catch_all(), catch_all(version).as_bytes(), 0o644)
    }

    /// Files that claim to answer for all other names.
    fn default_servers(&self) -> Vec<PathBuf> {
        let dirs = ["nginx/conf.d", "nginx/sites-enabled"].map(|dir| fs::read_dir(self.0.join(dir)));
        let entries = dirs.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
        entries.chain([self.main()]).filter(|path| sets_word(path, "default_server")).collect()
    }
}

fn add(path: &Path, text: &str) -> Outcome {
    if path.exists() { Ok(()) } else { files::replace(path, text.as_bytes(), 0o644) }
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
    fn machine() -> (tempfile::TempDir, Etc, House) {
        let dir = tempfile::tempdir().unwrap();
        let (null, env) = (Fd::null().unwrap(), Env::from([("DOKKU_ROOT".into(), "/home/dokku".into())]));
        let house = House::from_env(env, Io { stdin: null.clone(), stdout: null.clone(), stderr: null }).unwrap();
        let etc = Etc(dir.path().to_owned());
        fs::create_dir_all(dir.path().join("nginx/sites-enabled")).unwrap();
        (dir, etc, house)
    }

    fn lay(etc: &Etc, house: &House, untouched: bool) {
        etc.lay(house, Version::parse("nginx/1.22.1"), &|| untouched).unwrap();
    }

    #[test]
    fn a_new_installation_gets_all_and_a_second_run_changes_nothing() {
        let (_dir, etc, house) = machine();
        symlink("/etc/nginx/sites-available/default", etc.default_site()).unwrap();
        lay(&etc, &house, true);
        assert!(fs::symlink_metadata(etc.default_site()).is_err());
        assert!(sets(&etc.dokku(), "include /home/dokku/*/nginx.conf;"));
        let catch_all = fs::read_to_string(etc.catch_all()).unwrap();
        assert!(catch_all.contains("listen 80 default_server;") && catch_all.contains("listen 443 ssl http2 default_server;"));
        for path in etc.files() {
            fs::write(&path, "mine\n").unwrap();
        }
        lay(&etc, &house, true);
        assert!(etc.files().iter().all(|path| fs::read(path).unwrap() == b"mine\n"));
    }

    #[test]
    fn what_is_there_stays() {
        let (_dir, etc, house) = machine();
        fs::create_dir_all(etc.conf_d("")).unwrap();
        fs::write(etc.main(), "http { server_names_hash_bucket_size 64; }\n").unwrap();
        fs::write(etc.dokku(), "# of 0.3.18\n").unwrap();
        lay(&etc, &house, true);
        assert_eq!(fs::read(etc.dokku()).unwrap(), b"# of 0.3.18\n");
        assert!(!etc.catch_all().exists(), "a server that is taken over is only told");
        assert_eq!(fs::read(etc.main()).unwrap(), b"http { server_names_hash_bucket_size 64; }\n");
    }

    #[test]
    fn a_default_server_of_somebody_s_own_stays_the_default() {
        for (untouched, own) in [(false, None), (true, Some("server { listen 80 default_server; }\n"))] {
            let (_dir, etc, house) = machine();
            let sample = etc.0.join("nginx/sites-available/default");
            fs::create_dir_all(sample.parent().unwrap()).unwrap();
            fs::write(&sample, "server { listen 80 default_server; }\n").unwrap();
            symlink(&sample, etc.default_site()).unwrap();
            if let Some(text) = own {
                fs::write(etc.0.join("nginx/sites-enabled/own"), text).unwrap();
            }
            lay(&etc, &house, untouched);
            assert!(!etc.catch_all().exists() && fs::symlink_metadata(etc.default_site()).is_ok());
        }
    }

    #[test]
    fn user_dokku_may_do_what_it_must() {
        let (_dir, etc, _house) = machine();
        etc.allow_user_dokku("ubuntu").unwrap();
        let path = etc.0.join("sudoers.d/dokku-nginx");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "%dokku ALL=(ALL) NOPASSWD:/etc/init.d/nginx reload, /usr/sbin/nginx -t, /usr/sbin/nginx -s reload\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o440);
    }
}
