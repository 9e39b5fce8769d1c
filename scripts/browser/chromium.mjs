// Chromium without a screen, as the test and the pictures use it.
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHATSPEC_CHROMIUM ?? "/usr/bin/chromium",
    // Root, as many a CI job is, gets no sandbox; what is opened here we have written ourselves.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
