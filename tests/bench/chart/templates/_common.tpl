{{- define "selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
app.kubernetes.io/instance: {{ .Values.name }}-{{ .Values.environment }}
{{- end -}}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/version: {{ .Values.version | quote }}
app.kubernetes.io/managed-by: causeway
causeway.io/service: {{ .Values.name }}
causeway.io/environment: {{ .Values.environment }}
causeway.io/team: {{ .Values.team }}
{{- end -}}
{{- define "metadata" -}}
name: {{ .Values.name }}
namespace: {{ .Values.name }}-{{ .Values.environment }}
labels:
  {{- include "labels" . | nindent 2 }}
{{- end -}}
{{- define "probe" -}}
httpGet:
  path: /healthz
  port: http
periodSeconds: {{ .period }}
timeoutSeconds: 3
failureThreshold: {{ .failures }}
{{- end -}}
