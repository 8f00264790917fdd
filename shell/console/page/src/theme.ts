// Light or dark: as the system has it, or as was chosen here.

import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";

function kept(): Theme {
  try {
    const theme = localStorage.getItem("theme");
    return theme === "light" || theme === "dark" ? theme : "auto";
  } catch {
    return "auto";
  }
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, set] = useState(kept);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [
    theme,
    (theme) => {
      document.documentElement.dataset.theme = theme;
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // It is chosen for this page only.
      }
      set(theme);
    },
  ];
}
