import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Router } from "wouter";
import { ApiError } from "./api/client.ts";
import { Toasts } from "./components/toast.tsx";
import { Pages } from "./pages/pages.tsx";
import { BASE } from "./router.ts";
import { colorScheme, theme } from "./theme.ts";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Another try helps against a server that restarts, not against one that refuses.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      retryDelay: 1000,
      refetchOnWindowFocus: true,
    },
  },
});

export function App() {
  return (
    <MantineProvider theme={theme} colorSchemeManager={colorScheme} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Router base={BASE}>
          <Pages />
        </Router>
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}
