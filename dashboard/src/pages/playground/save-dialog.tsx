import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call, messageOf } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { toastDone } from "../../components/toast.tsx";
import { playgroundMessages } from "../../messages/playground.ts";
import { paths } from "../../router.ts";
import type { Draft } from "./draft.ts";

/** Makes a function of the draft, and goes there. */
export function SaveDialog({ draft, isOpen, onClose }: { draft: Draft; isOpen: boolean; onClose: () => void }) {
  const text = playgroundMessages.use();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => call("createFunction", { body: { name, language: draft.language, code: draft.code } }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.functions });
      navigate(paths.function(made.name));
      toastDone(text.saved(made.name), async () => {
        await call("deleteFunction", { params: { id: made.id } });
        await client.invalidateQueries({ queryKey: keys.functions });
        navigate(paths.playground);
      });
    },
  });
  return (
    <Modal opened={isOpen} onClose={onClose} title={text.saveTitle} closeButtonProps={{ "aria-label": text.cancel }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <TextInput
          label={text.name}
          description={text.nameHint}
          value={name}
          onChange={({ currentTarget }) => {
            setName(currentTarget.value);
            create.reset();
          }}
          error={create.error === null ? undefined : messageOf(create.error)}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
          required
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            {text.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {text.create}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
