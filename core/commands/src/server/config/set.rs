//! `CONFIG SET`.

use engine::args::Args;
use engine::clients::waiting::Wait;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::config::{SECRET_SETTINGS, SettingError, Settings, When};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};
use resp::Argv;

/// `CONFIG SET parameter value [parameter value …]`: all of it, or nothing.
pub(super) struct Set;

impl Command for Set {
    const SPEC: Spec = Spec {
        summary: "Changes settings while the server runs.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        arity: Arity::AtLeast(4),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: &[("7.0.0", "Several settings can be changed at once.")],
        compat: Compat::Differs(
            "The reply to `appendonly` comes once the journal is whole, or an error; where there is a journal that was not \
             loaded because the server was started with `appendonly no`, it is an error. `appendonly`, `bind`, `port`, \
             `dir`, `dbfilename` and those of TLS but `tls-auth-clients-user` are refused within a transaction, since \
             they wait for the system. `dir` keeps while there is a journal in it. What is wrong with settings of TLS \
             is in the error; in Redis it is in the log.",
        ),
        args: &[Arg::block(
            "data",
            &[
                Arg::string("parameter"),
                Arg::string("value").secret_after(SECRET_SETTINGS),
            ],
        )
        .multiple()],
        ..Spec::named("set")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        if args.left() % 2 == 1 {
            return Err(CmdError::Syntax);
        }
        Ok(args.rest())
    }

    fn execute(pairs: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let mut settings = ctx.server.settings.clone();
        let pairs: Vec<(String, String)> = (0..pairs.len())
            .step_by(2)
            .map(|at| (text(pairs.get(at)), text(pairs.get(at + 1))))
            .collect();
        for (name, _) in &pairs {
            settings
                .row(name)
                .ok_or_else(|| CmdError::UnknownSetting(name.clone()))?;
        }
        for (index, (name, _)) in pairs.iter().enumerate() {
            let when = settings.row(name).map(|row| row.when);
            let mut before = pairs[..index].iter();
            match when {
                Some(When::AtStart) => return Err(SettingError::Immutable.refusal(name)),
                Some(When::Protected) if !may_change_protected(ctx) => {
                    return Err(SettingError::Protected.refusal(name));
                }
                Some(When::Live | When::ByShell | When::Protected) | None => {}
            }
            if before.any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(SettingError::Duplicate.refusal(name));
            }
        }
        for (name, value) in &pairs {
            settings
                .set(name, value)
                .map_err(|error| error.refusal(name))?;
        }
        if let Err(fault) = settings.check_shared_log() {
            let (name, _) = pairs.first().cloned().unwrap_or_default();
            let reason = fault.to_string();
            return Err(CmdError::SettingRefused { name, reason });
        }
        if pairs.iter().any(|(name, _)| is_for_shell(&settings, name)) {
            if ctx.mode != Mode::Alone {
                return Err(CmdError::NotInTransaction);
            }
            ctx.server.orders.push(Order::ChangeSettings {
                waiting: ctx.session.id,
                pairs,
            });
            ctx.wait = Some(Wait::for_shell(ctx.store.database, "CONFIG"));
            return Ok(Flow::Block);
        }
        // What follows in the same batch goes by the new settings already; the order is for the
        // shell.
        ctx.server.take_settings(settings, Some(ctx.session));
        ctx.store.settings_changed(&ctx.server.config);
        ctx.server.orders.push(Order::SettingsChanged);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// Returns whether the shell has to do its part before a setting counts.
fn is_for_shell(settings: &Settings, name: &str) -> bool {
    let when = settings.row(name).map(|row| row.when);
    matches!(when, Some(When::ByShell | When::Protected))
}

fn may_change_protected(ctx: &Ctx<'_>) -> bool {
    let session = &ctx.session;
    let allowed = ctx.server.config.protected_settings;
    allowed.allows(&session.address, &session.local_address)
}

fn text(arg: Option<&[u8]>) -> String {
    String::from_utf8_lossy(arg.unwrap_or_default()).into_owned()
}
