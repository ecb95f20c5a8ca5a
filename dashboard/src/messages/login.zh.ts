export const zh = {
  title: "登录",
  hint: "此服务器需要密钥。首次启动时会打印一个，也可在“系统”页面创建。",
  key: "密钥",
  keyHint: "以 clo_ 开头",
  logIn: "登录",
  wrong: "密钥不存在或已被移除。",
  show: "显示或隐藏密钥",
};
