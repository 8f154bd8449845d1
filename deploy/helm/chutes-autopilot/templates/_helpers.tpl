{{- define "autopilot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "autopilot.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "autopilot.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "autopilot.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "autopilot.selectorLabels" -}}
app.kubernetes.io/name: {{ include "autopilot.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Of the pods: a new version of the chart alone makes no new ones. */}}
{{- define "autopilot.podLabels" -}}
{{ include "autopilot.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end -}}

{{- define "autopilot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{ include "autopilot.podLabels" . }}
{{- end -}}

{{/* Of the pod of `helm test`. It has another name than the routers, so that nothing takes it for one. */}}
{{- define "autopilot.testLabels" -}}
app.kubernetes.io/name: {{ printf "%s-test" (include "autopilot.name" . | trunc 58) | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: test
{{- end -}}

{{/* The chart's own labels or annotations (as YAML) and those of the values, which change none of them. */}}
{{- define "autopilot.andOwn" -}}
{{- merge (index . 0 | fromYaml) (index . 1 | default dict) | toYaml -}}
{{- end -}}

{{/* Of the pods, so that new settings make new ones. */}}
{{- define "autopilot.checksums" -}}
checksum/config: {{ include (print .Template.BasePath "/configmap.yaml") . | sha256sum }}
checksum/secret: {{ include (print .Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end -}}

{{/* The name of the Service of the admin port. */}}
{{- define "autopilot.adminName" -}}
{{- printf "%s-admin" (include "autopilot.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{/* An egress rule of network policies. */}}
{{- define "autopilot.dnsEgress" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - { port: {{ int . }}, protocol: UDP }
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end -}}

{{- define "autopilot.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- if .Values.image.digest -}}{{ printf "%s@%s" $tagged .Values.image.digest }}{{- else -}}{{ $tagged }}{{- end -}}
{{- end -}}

{{- define "autopilot.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "autopilot.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* The name of the Secret in use; empty if there is none. */}}
{{- define "autopilot.secretName" -}}
{{- if .Values.secret.existingSecret -}}
{{- .Values.secret.existingSecret -}}
{{- else if or .Values.secret.stickyHashSecret .Values.secret.redisUrl -}}
{{- include "autopilot.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Whole numbers come as floats, which would print as 3.3554432e+07. A map is the JSON that the router reads. */}}
{{- define "autopilot.value" -}}
{{- if kindIs "float64" . -}}{{ int64 . }}{{- else if kindIs "map" . -}}{{ toJson . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{- define "autopilot.terminationGracePeriodSeconds" -}}
{{- $waitMs := add (int64 .Values.config.SHUTDOWN_DRAIN_MS) (int64 .Values.config.SHUTDOWN_GRACE_MS) -}}
{{- add (int64 .Values.preStopSleepSeconds) (div (add $waitMs 999) 1000) (int64 .Values.terminationMarginSeconds) -}}
{{- end -}}

{{/* The port of a URL, by its scheme if it has none of its own. */}}
{{- define "autopilot.portOf" -}}
{{- $url := urlParse (contains "://" . | ternary . (printf "http://%s" .)) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (get (dict "http" "80" "https" "443" "redis" "6379" "rediss" "6379") $url.scheme) -}}
{{- end -}}

{{/* The ports that the router has to reach, separated by spaces. */}}
{{- define "autopilot.egressPorts" -}}
{{- $ports := list -}}
{{- $upstreams := list "BACKEND_BASE_URL" "RESPONSES_BASE_URL" "MESSAGES_BASE_URL" "MODELS_URL" "UTILIZATION_URL" "EVIDENCE_BASE_URL" -}}
{{- range $upstreams -}}
{{- $url := get $.Values.config . | default "https://default" -}}
{{- if ne $url "off" -}}{{- $ports = append $ports (include "autopilot.portOf" $url) -}}{{- end -}}
{{- end -}}
{{- with get .Values.config "STATS_URL" | default "https://default" -}}
{{- if ne . "off" -}}{{- $ports = append $ports (include "autopilot.portOf" .) -}}{{- end -}}
{{- end -}}
{{- range list "HTTPS_PROXY" "HTTP_PROXY" "OTEL_EXPORTER_OTLP_ENDPOINT" "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" -}}
{{- with get $.Values.config . -}}{{- $ports = append $ports (include "autopilot.portOf" .) -}}{{- end -}}
{{- end -}}
{{- if eq (get .Values.config "STICKY_STORE" | default "memory") "redis" -}}
{{- $ports = append $ports (include "autopilot.portOf" (.Values.secret.redisUrl | default "redis://default")) -}}
{{- end -}}
{{- range .Values.networkPolicy.extraEgressPorts -}}{{- $ports = append $ports (int . | toString) -}}{{- end -}}
{{- $ports | uniq | join " " -}}
{{- end -}}
