import type { Translation } from "../i18n/messages.ts";
import type { en } from "./function-data.en.ts";

export const zh: Translation<typeof en> = {
  data: "数据",
  hint: "函数存储中的内容,以及所有函数共享的内容。",
  own: "此函数",
  shared: "所有函数",
  store: "存储",
  prefix: "键前缀",
  key: "键",
  value: "值",
  expires: "到期",
  never: "永不",
  none: "这里没有数据",
  noneHint: "函数代码通过 kv.set 写入键,您也可以手动添加。",
  newKey: "新建键",
  edit: (key) => `编辑 ${key}`,
  remove: (key) => `删除 ${key}`,
  removed: (key) => `已删除 ${key}`,
  saved: (key) => `已保存 ${key}`,
  save: "保存",
  json: "值(JSON)",
  ttl: "多少秒后删除",
  ttlHint: "留空则一直保留",
  notJson: (fault) => `不是有效的 JSON:${fault}`,
  more: "更多键",
};
