//! What the users of an app see while it is deployed again.

use crate::harness::{App, Load, Server, procfile_app, within};

#[test]
fn redeploy_under_load_fails_no_request() {
    let server = Server::start("load");
    let app = App::create(&server, "load");
    procfile_app(&app.source, "old");
    app.push().succeeds();
    app.answers("old");
    // nginx's workers from before the app end in their own time, and know nothing of it.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let old = app.container();

    let load = Load::start(&app.host());
    app.source.write("message", "new");
    app.push().succeeds();
    let gone = within(30, || !app.running().contains(&old));
    let answers = load.stop();

    assert!(gone, "the old container still runs: {:?}", app.running());
    let failed: Vec<_> = answers.iter().filter(|answer| answer.is_err()).collect();
    assert!(failed.is_empty(), "{} of {} requests failed: {failed:?}", failed.len(), answers.len());
    let bodies: Vec<_> = answers.iter().flatten().map(|body| body.trim()).collect();
    assert!(bodies.iter().all(|body| ["old", "new"].contains(body)), "{bodies:?}");
    let first_new = bodies.iter().position(|body| *body == "new").expect("the new release was never seen");
    let last_old = bodies.iter().rposition(|body| *body == "old").expect("the old release was never seen");
    // While nginx lets its old workers go, now one of them answers and now a new one: for a moment, not for ever.
    assert!(last_old < first_new + Load::A_SECOND, "the old release answered after the new one: {bodies:?}");
}
