export const zh = {
  running: "运行中",
  success: "成功",
  error: "错误",
  timeout: "超时",
  oom: "内存不足",
  killed: "被终止",
  cancelled: "已取消",
};
