//! Custom templates of nginx configurations, which plugins copy out of repositories.

use crate::corpus::cases;
use crate::fort::Fort;

#[test]
fn text_and_variables_are_taken_and_nothing_runs() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep").file("full/VHOST", "full.dokku.test\n");
    let evil = "$(canary) `canary` ${x[$(canary)]} a[$(canary)] <(canary) \\$(canary)";
    fort.s.file("full/ENV", format!("export EVIL='{evil}'\nexport PATH='/nowhere'\nexport BASH_ENV='canary'\n"));
    for case in cases(&fort.s, "templates.txt") {
        let shown = case.shown();
        fort.s.file("full/nginx.conf.template", &case.text).file("full/nginx.conf", "# before\n");
        fort.unharmed(&shown, &["home/full/"], || {
            let step = fort.run(["nginx:build-config", "full"]);
            let text = step.text();
            if case.expected == "taken" {
                assert_eq!(step.code(), 0, "{shown}: {text}");
            } else {
                assert!(
                    step.code() != 0 && text.contains(&case.expected) && fort.s.read("full/nginx.conf") == "# before\n",
                    "{shown}: {text}"
                );
            }
            text
        });
        let started = fort.started();
        assert!(case.expected == "taken" || started.is_empty(), "{shown} started {started:?}");
        assert!(started.iter().all(|program| program == "bash"), "{shown} started {started:?}");
    }
}
