namespace Polymath.Files.HuggingFace.Families;

/// <summary>BERT and XLM-RoBERTa, as encoders and as rerankers with a head that scores the first token.</summary>
internal static class Bert
{
    private const int MostLabels = 1 << 10;

    private static readonly string[] Activations = ["gelu"];

    /// <summary>BertModel, BertForMaskedLM, BertForSequenceClassification.</summary>
    public static void Translate(Translation model)
    {
        string body = model.Has("bert.embeddings.word_embeddings.weight") ? "bert." : "";
        Write(model, body, skippedPositions: 0);
        bool scores = model.Class == "BertForSequenceClassification";
        if (scores)
        {
            // The pooler's dense layer and its tanh stand before the classifier.
            Head(model, body + "pooler.dense", "classifier");
        }

        model.Expect(name => name == body + "embeddings.position_ids" || name.StartsWith("cls.", StringComparison.Ordinal)
            || (!scores && name.StartsWith(body + "pooler.", StringComparison.Ordinal)));
    }

    /// <summary>XLMRobertaModel and XLMRobertaForSequenceClassification. Positions start behind that of the padding.</summary>
    public static void TranslateRoberta(Translation model)
    {
        string body = model.Has("roberta.embeddings.word_embeddings.weight") ? "roberta." : "";
        int vocabulary = model.Config.Int32("vocab_size", 1, DecoderConfig.MostWidth);
        Write(model, body, 1 + (model.Config.TokenId("pad_token_id", vocabulary) ?? -1));
        if (model.Class == "XLMRobertaForSequenceClassification")
            Head(model, "classifier.dense", "classifier.out_proj");
        model.Expect(name => name == body + "embeddings.position_ids" || name.StartsWith("lm_head.", StringComparison.Ordinal)
            || name.StartsWith(body + "pooler.", StringComparison.Ordinal));
    }

    private static void Write(Translation model, string body, int skippedPositions)
    {
        model.Begin("bert");
        JsonFields json = model.Config;
        DecoderConfig.RefuseWhatIsNotComputed(model, Activations);
        if (json.Text("position_embedding_type") is { } positions and not "absolute")
            throw json.Bad("position_embedding_type", $"{FileLimits.Printable(positions)} is not supported, only absolute");
        int width = json.Int32("hidden_size", 1, DecoderConfig.MostWidth), layers = json.Int32("num_hidden_layers", 1, FileLimits.Layers);
        int heads = json.Int32("num_attention_heads", 1, width), inner = json.Int32("intermediate_size", 1, DecoderConfig.MostWidth);
        int vocabulary = json.Int32("vocab_size", 1, DecoderConfig.MostWidth), types = json.Int32("type_vocab_size", 1, 1 << 10, 2);
        int stored = json.Int32("max_position_embeddings", 1 + skippedPositions, DecoderConfig.MostWidth, Math.Max(512, 1 + skippedPositions));
        if (width % heads != 0)
            throw json.Bad("hidden_size", $"{width} is no multiple of the {heads} heads");
        EncoderKeys.Write(model, vocabulary, stored - skippedPositions, width, layers, inner, heads, json.Positive("layer_norm_eps", 1e-12));
        model.Metadata.Set("tokenizer.ggml.token_type_count", (uint)types);
        string embeddings = body + "embeddings.";
        model.Matrix("token_embd.weight", embeddings + "word_embeddings.weight", vocabulary, width);
        model.Add("position_embd.weight", [width, stored - skippedPositions], [embeddings + "position_embeddings.weight"], [stored, width],
            skippedPositions == 0 ? null : new Gather { Row = row => row + skippedPositions });
        model.Matrix("token_types.weight", embeddings + "token_type_embeddings.weight", types, width);
        Norm(model, "token_embd_norm", embeddings + "LayerNorm", width);
        for (int layer = 0; layer < layers; layer++)
            Block(model, $"blk.{layer}.", $"{body}encoder.layer.{layer}.", width, inner);
    }

    private static void Block(Translation model, string to, string from, int width, int inner)
    {
        Linear(model, to + "attn_q", from + "attention.self.query", width, width);
        Linear(model, to + "attn_k", from + "attention.self.key", width, width);
        Linear(model, to + "attn_v", from + "attention.self.value", width, width);
        Linear(model, to + "attn_output", from + "attention.output.dense", width, width);
        Norm(model, to + "attn_output_norm", from + "attention.output.LayerNorm", width);
        Linear(model, to + "ffn_up", from + "intermediate.dense", inner, width);
        Linear(model, to + "ffn_down", from + "output.dense", width, inner);
        Norm(model, to + "layer_output_norm", from + "output.LayerNorm", width);
    }

    /// <summary>A reranker's head: a dense layer with tanh on the first token, then the scores.</summary>
    private static void Head(Translation model, string dense, string scores)
    {
        string[] labels = model.Config.Numbered("id2label", MostLabels)
            ?? [.. Enumerable.Range(0, model.Config.Int32("num_labels", 1, MostLabels, 2)).Select(i => FormattableString.Invariant($"LABEL_{i}"))];
        if (labels.Length == 0)
            throw model.Config.Bad("id2label", "it names no label");
        int width = model.Config.Int32("hidden_size", 1, DecoderConfig.MostWidth);
        model.Metadata.Set($"{model.Architecture}.pooling_type", (uint)Pooling.Rank);
        model.Set("classifier.output_labels", labels);
        Linear(model, "cls", dense, width, width);
        Linear(model, "cls.output", scores, labels.Length, width);
    }

    private static void Linear(Translation model, string name, string source, int rows, int columns)
    {
        model.Matrix(name + ".weight", source + ".weight", rows, columns);
        model.Vector(name + ".bias", source + ".bias", rows);
    }

    /// <summary>Old checkpoints call the scale gamma and the shift beta.</summary>
    private static void Norm(Translation model, string name, string source, int width)
    {
        bool old = model.Has(source + ".gamma");
        model.Vector(name + ".weight", source + (old ? ".gamma" : ".weight"), width);
        model.Vector(name + ".bias", source + (old ? ".beta" : ".bias"), width);
    }
}
