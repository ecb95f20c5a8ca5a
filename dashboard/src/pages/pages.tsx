// Every page with its address. Each is a chunk of its own, loaded when somebody goes there.
import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { keyRequired } from "../api/client.ts";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { PageLoading } from "../components/page.tsx";
import { paths } from "../router.ts";
import { Shell } from "../shell/shell.tsx";

const HomePage = lazy(() => import("./home/home-page.tsx"));
const FunctionsPage = lazy(() => import("./functions/functions-page.tsx"));
const NewFunctionPage = lazy(() => import("./functions/new-function-page.tsx"));
const FunctionPage = lazy(() => import("./function/function-page.tsx"));
const PlaygroundPage = lazy(() => import("./playground/playground-page.tsx"));
const ExecutionsPage = lazy(() => import("./executions/executions-page.tsx"));
const ExecutionPage = lazy(() => import("./executions/execution-page.tsx"));
const JobsPage = lazy(() => import("./jobs/jobs-page.tsx"));
const JobPage = lazy(() => import("./jobs/job-page.tsx"));
const SystemPage = lazy(() => import("./system/system-page.tsx"));
const LoginPage = lazy(() => import("./login/login-page.tsx"));
const NotFoundPage = lazy(() => import("./not-found-page.tsx"));

export function Pages() {
  useLoginWhenNeeded();
  return (
    <Switch>
      <Route path="/login">
        <Guarded>
          <LoginPage />
        </Guarded>
      </Route>
      <Route>
        <Shell>
          <Guarded>
            <Switch>
              <Route path="/">
                <HomePage />
              </Route>
              <Route path="/functions">
                <FunctionsPage />
              </Route>
              <Route path="/new">
                <NewFunctionPage />
              </Route>
              <Route path="/functions/:name/:tab?">
                {({ name, tab }) => <FunctionPage key={name} name={decodeURIComponent(name)} tab={tab} />}
              </Route>
              <Route path="/playground">
                <PlaygroundPage />
              </Route>
              <Route path="/executions">
                <ExecutionsPage />
              </Route>
              <Route path="/executions/:id">{({ id }) => <ExecutionPage key={id} id={id} />}</Route>
              <Route path="/jobs">
                <JobsPage />
              </Route>
              <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={decodeURIComponent(id)} />}</Route>
              <Route path="/system/:section?">{({ section }) => <SystemPage section={section} />}</Route>
              <Route path="/index.html">
                <Redirect to="/" replace />
              </Route>
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Guarded>
        </Shell>
      </Route>
    </Switch>
  );
}

/** One page's fault or loading leaves the shell where it is. */
function Guarded({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  return (
    <ErrorBoundary key={location.split("/")[1]}>
      <Suspense fallback={<PageLoading />}>{children}</Suspense>
    </ErrorBoundary>
  );
}

function useLoginWhenNeeded(): void {
  const [location, navigate] = useLocation();
  useEffect(() => {
    const toLogin = (): void => {
      if (location.startsWith("/login")) return;
      navigate(paths.login(location + window.location.search), { replace: true });
    };
    keyRequired.addEventListener("required", toLogin);
    return () => keyRequired.removeEventListener("required", toLogin);
  }, [location, navigate]);
}
