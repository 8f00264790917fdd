// An action: first what it would do, then the question whether to do it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Done, Fault, post, shown } from "./api";
import { Icon, Trouble } from "./ui";

/** How long nothing is asked after a change of what would be done. */
const PAUSE_MS = 250;

export function Action(props: {
  title: string;
  /** The path of the action. */
  path: string;
  /** What is sent; null while it is not complete. */
  body: unknown;
  /** What the button says that does it. */
  verb: string;
  /** What cannot be taken back. */
  warning?: ComponentChildren;
  children?: ComponentChildren;
  onClose: () => void;
  onDone: (done: Done) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [would, setWould] = useState<{ body: string; done?: Done; fault?: Fault } | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const body = props.body === null ? null : JSON.stringify(props.body);
  const separator = props.path.includes("?") ? "&" : "?";

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    setFault(null);
    if (body === null) return setWould(null);
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const path = `${props.path}${separator}dry-run=true`;
        const done = await post<Done>(path, props.body, abort.signal);
        setWould({ body, done });
      } catch (error) {
        if (error instanceof Fault) setWould({ body, fault: error });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [props.path, body]);

  const current = would?.body === body ? would : null;
  const may = current?.done?.allowed === true && !isBusy;
  const act = async (event: Event) => {
    event.preventDefault();
    if (!may) return;
    setBusy(true);
    try {
      const done = await post<Done>(props.path, props.body);
      say(done.summary);
      props.onDone(done);
      props.onClose();
    } catch (error) {
      setFault(error instanceof Fault ? error : new Fault("unknown", String(error)));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={props.onClose} aria-labelledby="action-title">
      <form onSubmit={act}>
        <header>
          <h2 id="action-title">{props.title}</h2>
          <button type="button" class="ghost" aria-label="Close" onClick={props.onClose}>
            <Icon name="close" />
          </button>
        </header>
        {props.children && <div class="fields">{props.children}</div>}
        <div class="would" aria-live="polite">
          {body === null ? (
            <p class="faint">Fill in the fields above to see what this would do.</p>
          ) : current?.fault ? (
            <Trouble fault={current.fault} />
          ) : current?.done ? (
            <>
              <h3>This would run</h3>
              <pre class="command" tabIndex={0}>
                {current.done.command.map((word) => quoted(shown(word))).join(" ")}
              </pre>
              <p>{sentence(current.done.summary)}</p>
              {!current.done.allowed && (
                <p class="warning">
                  <Icon name="warn" /> Your user may not run this command.
                </p>
              )}
            </>
          ) : (
            <p class="faint">Asking what this would do…</p>
          )}
        </div>
        {props.warning && (
          <p class="warning">
            <Icon name="warn" /> <span>{props.warning}</span>
          </p>
        )}
        {fault && <Trouble fault={fault} />}
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!may}>
            {isBusy ? "Working…" : props.verb}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

/** A summary as a sentence. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A word of a command as one would type it, cut if it is long. */
function quoted(word: string): string {
  const cut = word.length > 300 ? `${word.slice(0, 300)}…` : word;
  return /^[\w.:*$@+\-/(]+$/.test(cut) ? cut : `"${cut.replace(/["\\]/g, "\\$&")}"`;
}

let listener: ((text: string) => void) | null = null;

/** Tells what was done, at the edge of the page. */
function say(text: string): void {
  listener?.(text);
}

export function Told() {
  const [text, set] = useState<string | null>(null);
  useEffect(() => {
    let timer: number | undefined;
    listener = (text) => {
      set(text);
      clearTimeout(timer);
      timer = window.setTimeout(() => set(null), 6000);
    };
    return () => {
      listener = null;
    };
  }, []);
  return (
    <div class="told" role="status">
      {text && (
        <p>
          <Icon name="check" /> Done: {text}
        </p>
      )}
    </div>
  );
}
