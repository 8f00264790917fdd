// The page: what is around the views, and which of them is shown.

import "./app.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Told } from "./action";
import { named } from "./api";
import { span } from "./format";
import { Help, useKeyboard } from "./keyboard";
import { start, useLive } from "./live";
import { usePlace } from "./router";
import { signOut, useSession } from "./session";
import { type Theme, useTheme } from "./theme";
import { Empty, Icon, type IconName, Trouble } from "./ui";
import { Clients } from "./views/clients";
import { ClusterView } from "./views/cluster";
import { DurabilityView } from "./views/durability";
import { GroupView } from "./views/group";
import { GroupsView } from "./views/groups";
import { IdempotenceView } from "./views/idempotence";
import { Keys } from "./views/keys";
import { OverviewView } from "./views/overview";
import { SignIn } from "./views/sign_in";
import { Slow } from "./views/slow";
import { StreamView } from "./views/stream";
import { StreamsView } from "./views/streams";

const VIEWS: { name: string; place: string; icon: IconName }[] = [
  { name: "Overview", place: "overview", icon: "overview" },
  { name: "Streams", place: "streams", icon: "streams" },
  { name: "Groups", place: "groups", icon: "groups" },
  { name: "Idempotence", place: "idempotence", icon: "idempotence" },
  { name: "Durability", place: "durability", icon: "durability" },
  { name: "Cluster", place: "cluster", icon: "cluster" },
  { name: "Keys", place: "keys", icon: "keys" },
  { name: "Clients", place: "clients", icon: "clients" },
  { name: "Slow log", place: "slow", icon: "slow" },
];

function View({ theme }: { theme: string }) {
  const { parts, query } = usePlace();
  const [view = "overview", db = "0", stream, tab = "entries", group] = parts;
  switch (view) {
    case "overview":
      return <OverviewView theme={theme} />;
    case "streams":
      if (stream === undefined) return <StreamsView />;
      if (group !== undefined) {
        return <GroupView key={`${db}/${stream}/${group}`} db={Number(db)} stream={named(stream)} group={named(group)} />;
      }
      return (
        <StreamView key={`${db}/${stream}`} db={Number(db)} stream={named(stream)} tab={tab} query={query} theme={theme} />
      );
    case "groups":
      return <GroupsView />;
    case "idempotence":
      return <IdempotenceView />;
    case "durability":
      return <DurabilityView theme={theme} />;
    case "cluster":
      return <ClusterView theme={theme} />;
    case "keys":
      return <Keys db={Number(db)} chosen={stream === undefined ? undefined : named(stream)} />;
    case "clients":
      return <Clients />;
    case "slow":
      return <Slow />;
    default:
      return (
        <Empty title="There is nothing at this address">
          <p>
            <a href="#/overview">Go to the overview</a>, or press <kbd>?</kbd> for all views.
          </p>
        </Empty>
      );
  }
}

const THEMES: Record<Theme, { next: Theme; icon: IconName; says: string }> = {
  auto: { next: "light", icon: "auto", says: "Colours: as the system has them" },
  light: { next: "dark", icon: "sun", says: "Colours: light" },
  dark: { next: "auto", icon: "moon", says: "Colours: dark" },
};

function Status() {
  const { samples, fault } = useLive();
  const last = samples.at(-1)?.overview;
  const [tone, words] = fault
    ? ["bad", fault.code === "offline" ? "Not reachable" : "No figures"]
    : !last
      ? ["", "Connecting…"]
      : last.ready
        ? ["good", "Ready"]
        : ["bad", "Not ready"];
  return (
    <p class={`status ${tone}`} role="status">
      <span class="dot" aria-hidden="true" />
      <span>{words}</span>
      {last && !fault && <small>up {span(last.uptime_seconds * 1000)}</small>}
    </p>
  );
}

function Page() {
  const { parts } = usePlace();
  const { samples } = useLive();
  const [theme, setTheme] = useTheme();
  const [isHelp, setHelp] = useState(false);
  useKeyboard({
    help: () => setHelp((isHelp) => !isHelp),
    theme: () => setTheme(THEMES[theme].next),
  });
  const view = parts[0] ?? "overview";
  const title = VIEWS.find((of) => of.place === view)?.name ?? "weir";
  const detail = view === "streams" && parts[2] !== undefined ? named(parts[2]) : null;
  useEffect(() => {
    document.title = `${typeof detail === "string" ? detail : title} · weir`;
  }, [title, detail]);
  useEffect(() => {
    scrollTo(0, 0);
    // On a phone not all names of views are seen at once.
    document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [parts.join("/")]);
  const last = samples.at(-1)?.overview;
  const { icon, says, next } = THEMES[theme];
  const { user, token, refusal } = useSession();
  const [isSigningIn, setSigningIn] = useState(false);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        To the content
      </a>
      <div class="page">
        <header class="side">
          <a class="logo" href="#/overview" aria-label="weir, to the overview">
            <svg viewBox="0 0 40 28" aria-hidden="true">
              <path d="M2 7h12c5 0 6 14 12 14h12" />
              <path d="M2 14h9c5 0 6 12 12 12h15" />
              <path d="M2 21h6" />
            </svg>
            <span>weir</span>
          </a>
          <nav aria-label="Views">
            {VIEWS.filter(({ place }) => place !== "cluster" || last?.cluster_role != null).map(({ name, place, icon }) => (
              <a key={place} href={`#/${place}`} aria-current={place === view ? "page" : undefined}>
                <Icon name={icon} />
                <span>{name}</span>
              </a>
            ))}
          </nav>
          <div class="foot">
            {refusal === null && <Status />}
            <div class="tools">
              <button type="button" class="ghost" onClick={() => setTheme(next)} aria-label={says} title={says}>
                <Icon name={icon} />
              </button>
              <button type="button" class="ghost" onClick={() => setHelp(true)} aria-label="Keyboard and more" title="Keyboard and more">
                <Icon name="keyboard" />
              </button>
              {token === null ? (
                refusal === null && (
                  <button type="button" class="ghost" onClick={() => setSigningIn(true)} aria-label="Sign in as a user" title="Sign in as a user">
                    <Icon name="user" />
                  </button>
                )
              ) : (
                <button type="button" class="ghost" onClick={() => void signOut()} aria-label={`Sign out, ${user}`} title={`Sign out, ${user}`}>
                  <Icon name="leave" />
                </button>
              )}
              {last && <small class="faint">{last.version}</small>}
            </div>
          </div>
        </header>
        <main id="main" tabIndex={-1}>
          {refusal !== null ? (
            <SignIn />
          ) : isSigningIn ? (
            <SignIn onClose={() => setSigningIn(false)} />
          ) : (
            <Views theme={theme} />
          )}
        </main>
      </div>
      <Told />
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

/** The view that is shown, under what all of them have to say. */
function Views({ theme }: { theme: string }) {
  const { samples, fault } = useLive();
  const last = samples.at(-1)?.overview;
  return (
    <>
      {fault && (
        <div class="banner">
          <Trouble fault={fault} />
        </div>
      )}
      {last && !last.ready && !fault && (
        <div class="banner">
          <div class="trouble" role="alert">
            <Icon name="warn" />
            <div>
              <strong>The server is not ready: {last.not_ready_because}.</strong>
              <p>
                <a href="#/durability">Durability</a> says more.
              </p>
            </div>
          </div>
        </div>
      )}
      <View theme={theme} />
    </>
  );
}

start();
const root = document.getElementById("page");
if (root) render(<Page />, root);
