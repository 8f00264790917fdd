// Who calls says who that is, where the server wants to know.

import { useEffect, useRef, useState } from "preact/hooks";
import { signIn, useSession } from "../session";
import { Field, Icon } from "../ui";

export function SignIn({ onClose }: { onClose?: () => void }) {
  const { user: last, refusal } = useSession();
  const [user, setUser] = useState(last ?? "default");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  // Who was never signed in need not be told to sign in.
  const ended = last === null ? null : refusal;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const why = await signIn(user, password);
    setBusy(false);
    if (why === null) return onClose?.();
    setFault(why);
    setPassword("");
    field.current?.focus();
  };
  return (
    <form class="card sign-in" onSubmit={send} aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Sign in</h1>
      <p class="faint">As a user of the server, with the password that clients give to AUTH.</p>
      <Field label="User">
        <input value={user} autocomplete="username" spellcheck={false} onInput={(event) => setUser(event.currentTarget.value)} />
      </Field>
      <Field label="Password">
        <input
          ref={field}
          type="password"
          value={password}
          autocomplete="current-password"
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </Field>
      {(fault ?? ended) && (
        <p class={fault ? "bad" : "faint"} role={fault ? "alert" : "status"}>
          {sentence(fault ?? ended ?? "")}
        </p>
      )}
      <footer>
        {onClose && (
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        )}
        <button type="submit" class="primary" disabled={isBusy || user === ""}>
          <Icon name="keys" /> {isBusy ? "Signing in…" : "Sign in"}
        </button>
      </footer>
      {location.protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) && (
        <p class="warning">
          <Icon name="warn" /> <span>This page came without TLS: others on the network can read the password.</span>
        </p>
      )}
    </form>
  );
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
