// What keys do.

import { useEffect, useRef } from "preact/hooks";
import { go } from "./router";
import { Icon } from "./ui";

const PLACES: Record<string, [string, string]> = {
  o: ["overview", "Overview"],
  s: ["streams", "Streams"],
  g: ["groups", "Groups"],
  i: ["idempotence", "Idempotence"],
  d: ["durability", "Durability"],
  n: ["cluster", "Cluster"],
  k: ["keys", "Keys"],
  c: ["clients", "Clients"],
  l: ["slow", "Slow log"],
};

/** How long after `g` its second key may come. */
const SECOND_KEY_MS = 1500;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

/** Goes to the next or the last row that can be chosen. */
function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by;
  rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
}

/** Goes to the tab beside the one that is shown. */
function turn(by: number): void {
  const tabs = [...document.querySelectorAll<HTMLAnchorElement>("main .tabs a")];
  const at = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  tabs[at + by]?.click();
}

export function useKeyboard(does: { help: () => void; theme: () => void }): void {
  const keep = useRef(does);
  keep.current = does;
  useEffect(() => {
    let pressed = 0;
    const down = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && isTyping(event.target) && !document.querySelector("dialog[open]")) {
        (event.target as HTMLElement).blur();
        return;
      }
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const place = PLACES[event.key];
      if (Date.now() - pressed < SECOND_KEY_MS && place) {
        pressed = 0;
        event.preventDefault();
        return go(`/${place[0]}`);
      }
      pressed = 0;
      switch (event.key) {
        case "g":
          pressed = Date.now();
          break;
        case "/": {
          event.preventDefault();
          document.querySelector<HTMLInputElement>("main [data-search]")?.focus();
          break;
        }
        case "j":
          step(1);
          break;
        case "k":
          step(-1);
          break;
        case "[":
        case "]":
          turn(event.key === "]" ? 1 : -1);
          break;
        case "u":
          [...document.querySelectorAll<HTMLAnchorElement>("main .trail a")].at(-1)?.click();
          break;
        case "a":
          document.querySelector<HTMLButtonElement>("main [data-add]")?.click();
          event.preventDefault();
          break;
        case "p":
          document.querySelector<HTMLButtonElement>("main [data-pause]")?.click();
          break;
        case "t":
          keep.current.theme();
          break;
        case "?":
          keep.current.help();
          break;
      }
    };
    addEventListener("keydown", down);
    return () => removeEventListener("keydown", down);
  }, []);
}

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const keys: [string, string][] = [
    ...Object.entries(PLACES).map(([key, [, name]]): [string, string] => [`g ${key}`, name]),
    ["/", "Search or filter"],
    ["j k", "Next row, row before"],
    ["Enter", "Open the row"],
    ["[ ]", "Tab before, next tab"],
    ["u", "Up: to the stream, to the list"],
    ["a", "Add an entry"],
    ["p", "Pause what is live, or go on"],
    ["t", "Light, dark, as the system"],
    ["Esc", "Close, or leave a field"],
  ];
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <header>
        <h2 id="help-title">Keyboard</h2>
        <button type="button" class="ghost" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <dl class="keyboard">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="faint">
        What this page shows comes from <a href="/api/v1/openapi.json">the API</a>. It includes{" "}
        <a href="/page/licences.txt">libraries of others</a>.
      </p>
    </dialog>
  );
}
