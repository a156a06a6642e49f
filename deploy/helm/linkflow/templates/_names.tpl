{{- define "linkflow.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "linkflow.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* Which Deployments there are, by the chosen topology. */}}
{{- define "linkflow.components" -}}
{{- if eq .Values.topology "tiers" }}{{ toYaml .Values.tiers }}{{ else }}{{ toYaml .Values.components }}{{ end }}
{{- end -}}

{{- define "linkflow.labels" -}}
app.kubernetes.io/name: linkflow
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "linkflow.selector" -}}
app.kubernetes.io/name: linkflow
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "linkflow.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ include "linkflow.name" . }}{{ else }}default{{ end }}
{{- end -}}

{{/* The settings of every process: secrets as variables of the container, from one Secret. */}}
{{- define "linkflow.environment" -}}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
- name: LINKFLOW_TRUSTED_PROXIES
  value: {{ join "," .Values.proxies.inside | quote }}
{{- with .Values.proxies.outside | default (ternary .Values.proxies.inside list .Values.ingress.enabled) }}
- name: LINKFLOW_EDGE_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- range $name, $key := dict
  "LINKFLOW_DATABASE_URL" "database-url"
  "LINKFLOW_ENGINE_DATABASE_URL" "engine-database-url"
  "LINKFLOW_SECRET" "linkflow-secret"
  "LINKFLOW_REDIS_URL" "redis-url"
  "LINKFLOW_RABBITMQ_URL" "rabbitmq-url"
  "LINKFLOW_S3_SECRET" "s3-secret"
  "LINKFLOW_OWNER_PASSWORD" "owner-password"
  "LINKFLOW_METRICS_TOKEN" "metrics-token" }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.secretName }}
      key: {{ $key }}
      optional: {{ not (has $key (list "database-url" "linkflow-secret")) }}
{{- end }}
{{- if not .Values.tls.insecure }}
- {name: LINKFLOW_TLS_CERT, value: /etc/linkflow/tls/tls.crt}
- {name: LINKFLOW_TLS_KEY, value: /etc/linkflow/tls/tls.key}
- {name: LINKFLOW_TLS_CA, value: /etc/linkflow/tls/ca.crt}
- {name: LINKFLOW_TLS_NAME, value: {{ .Values.tls.name | quote }}}
{{- end }}
{{- end -}}

{{- define "linkflow.mounts" -}}
- {name: home, mountPath: /var/lib/linkflow}
- {name: tmp, mountPath: /tmp}
- {name: keys, mountPath: /var/lib/linkflow/keys, readOnly: true}
{{- if not .Values.tls.insecure }}
- {name: tls, mountPath: /etc/linkflow/tls, readOnly: true}
{{- end }}
{{- end -}}

{{- define "linkflow.volumes" -}}
- name: home
  emptyDir: {}
- name: tmp
  emptyDir: {}
- name: keys
  secret:
    secretName: {{ .Values.secretName }}
    defaultMode: 0440
    items: [{key: sealing.key, path: sealing.key}]
{{- if not .Values.tls.insecure }}
- name: tls
  secret:
    secretName: {{ .Values.tls.secretName }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "linkflow.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "linkflow.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
