"""Questions that the thresholds of the extractive answer were calibrated on, and others that nobody looked at then.

Each is asked over the five passages of handbook.yaml (a copy of the quick start's, which may move on) that are nearest
by the bundled embedding model. The thresholds stand in the gap: with similarities the best wrong quote for UNANSWERED
had 0.45 and the worst right quote for ANSWERED 0.55; by words alone 0.39 and 0.54. The HELD_OUT questions were written
afterwards and changed nothing.
"""

__all__ = ["ANSWERED", "HELD_OUT_ANSWERED", "HELD_OUT_UNANSWERED", "UNANSWERED"]

ANSWERED = [
    ("What is Lorekeeper?", "running the way it was declared"),
    ("What port does the query API listen on?", "port 8080"),
    ("What is the default chunk size?", "1000 characters"),
    ("How do I confirm a deletion?", "--confirm-deletion"),
    ("Which embedding providers are there?", "Ollama, OpenAI and Embedded"),
    ("What happens when a run is killed?", "loses nothing"),
    ("Do I need a GPU?", "No GPU is needed"),
    ("Can I use my own documents?", "point a volume source"),
    ("Where does Lorekeeper keep its data?", ".lorekeeper"),
    ("How can I use an OpenAI client?", "base URL"),
    ("What is a fingerprint?", "hash of everything"),
    ("What does --embedded do?", "replaces every remote part"),
    ("Which Python versions are supported?", "3.11, 3.12 or 3.13"),
    ("Is Windows supported?", "Windows is not supported"),
    ("How many dimensions does the bundled model have?", "384 dimensions"),
    ("What licence does Lorekeeper have?", "Apache License"),
    ("Why are the fusion weights not equal?", "fewer right passages"),
    ("How large can a document be?", "50 MiB"),
    ("What does Lorekeeper do with scanned PDFs?", "NoTextLayer"),
    ("What is the short name of a KnowledgeSource?", "`know`"),
    ("Does my data leave my machine?", "your data never leaves your machine"),
    ("How do I choose another port?", "--port"),
    ("What should I do when Ollama does not answer?", "ollama serve"),
    ("What is the default of topK?", "default is 5"),
    ("Are answers streamed?", "streamed when the client asks"),
    ("Which file formats can be read?", "Markdown, HTML, plain text, PDF and Word"),
    ("What happens to a document that fails?", "never stops the run"),
    ("Where are vectors stored?", "kept in Qdrant"),
    ("How do I pass an API key on a laptop?", "--secret"),
    ("Does the handbook say how prompt injection is handled?", "fenced as data"),
    ("What is a chunk?", "passage that is embedded, found and cited"),
    ("Which route checks readiness?", "/readyz"),
    ("How long may a question be?", "4,000 characters"),
    ("What is the difference to a RAG framework?", "Lorekeeper is the program"),
    ("Can two processes use the same home folder?", "two processes would damage the index"),
    ("What time zone is used for schedules?", "Etc/UTC"),
    ("Does it support Kubernetes already?", "no Kubernetes operator"),
    ("How do I watch folders for changes?", "--watch"),
    ("What happens when the model changes?", "new collection"),
    ("Is there telemetry?", "no telemetry"),
]
"""A question, and words that its answer must show."""

UNANSWERED = [
    "What is the capital of France?",
    "Who founded the company behind Lorekeeper?",
    "How much does a support contract cost per month?",
    "How do I connect Slack to Lorekeeper?",
    "Does Lorekeeper support Pinecone?",
    "What is the boiling point of water?",
    "How do I bake sourdough bread?",
    "Which GPU should I buy for Llama 3?",
    "What is the phone number of the support team?",
    "How do I configure Kafka as a source?",
    "When was Lorekeeper first released?",
    "What colour is the Lorekeeper logo?",
    "How do I upgrade PostgreSQL?",
    "Who won the world cup in 2018?",
    "What is the weather in Berlin today?",
    "How many employees work on Lorekeeper?",
    "How do I set up single sign-on with Okta?",
    "What is the salary of a platform engineer?",
    "How do I mount an NFS share in Windows?",
    "Can Lorekeeper translate documents into French?",
    "What is the maximum length of a tweet?",
    "How do I cook rice?",
    "Which vector databases besides Qdrant are supported, such as Milvus?",
    "How do I train my own embedding model?",
    "What is the refund policy?",
    "How does photosynthesis work?",
    "How do I install Docker on Ubuntu?",
    "Is there a mobile app for iOS?",
    "Which airline flies to Lisbon?",
    "What are the opening hours of the office?",
]
"""Questions that the handbook does not answer."""

HELD_OUT_ANSWERED = [
    ("How do I report a vulnerability?", "SECURITY.md"),
    ("What does the metrics route serve?", "Prometheus metrics"),
    ("Which glob wins when include and exclude both match?", "exclusion wins"),
    ("How much memory do 100,000 vectors need?", "1 GiB"),
    ("Are Git submodules followed?", "are not followed"),
    ("What does the Extractive provider do?", "quotes the sentences"),
    ("Can I use a scanned PDF?", "NoTextLayer"),
    ("What is the default overlap?", "overlap is 100 characters"),
    ("How do I see the traceback of an error?", "--verbose"),
    ("What is the default time zone?", "Etc/UTC"),
    ("Which keys does the Secret of a Git source have?", "`username` and"),
    ("How many documents may an inline source hold?", "at most 64"),
    ("What does suspend do?", "stops the syncs"),
    ("Where is Ollama looked for?", "OLLAMA_HOST"),
    ("What happens when the port is in use?", "--port"),
    ("Is the query API authenticated?", "no authentication"),
]
"""A question, and words that its answer must show."""

HELD_OUT_UNANSWERED = [
    "How tall is Mount Everest?",
    "Does Lorekeeper integrate with Microsoft Teams?",
    "What is the monthly price of the enterprise plan?",
    "How do I renew a passport?",
    "Who is the maintainer of Qdrant?",
    "Which temperature should I set for creative writing?",
    "How do I grow tomatoes on a balcony?",
    "Where is the company's headquarters?",
    "What is the fastest land animal?",
    "How do I reset my password?",
    "Can I run Lorekeeper on a Raspberry Pi?",
    "What is the speed of light?",
    "How do I export a dashboard to Grafana?",
    "Which bank offers the best mortgage?",
    "When does the next train leave?",
    "How do I fix a flat tyre?",
]
"""Questions that the handbook does not answer."""
