using Polymath.Files;

namespace Polymath.Text.Templates;

/// <summary>The chat templates that a model's file carries, parsed when they are first asked for.</summary>
public sealed class ChatTemplates
{
    private const string Key = "tokenizer.chat_template";

    /// <summary>ChatML, for models without a template: what most open models without one of their own were trained on.</summary>
    private const string ChatMl =
        """
        {%- for message in messages %}
        {{- '<|im_start|>' + message.role + '\n' }}
        {%- if message.content is string %}
        {{- message.content }}
        {%- elif message.content %}
        {%- for part in message.content if part.type == 'text' %}
        {{- part.text }}
        {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
        {{- '<|im_start|>assistant\n' }}
        {%- endif %}
        """;

    private readonly Lazy<ChatTemplate> _default;
    private readonly Dictionary<string, Lazy<ChatTemplate>> _named;

    private ChatTemplates(string? source, Dictionary<string, Lazy<ChatTemplate>> named)
    {
        IsOfModel = source is not null;
        _default = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(source ?? ChatMl));
        _named = named;
    }

    /// <summary>False where the file has none and ChatML stands in.</summary>
    public bool IsOfModel { get; }

    /// <summary>The template.</summary>
    /// <exception cref="TemplateException">It is wrong.</exception>
    public ChatTemplate Default => _default.Value;

    /// <summary>The template for conversations with tools: the one named tool_use, where there is one.</summary>
    /// <exception cref="TemplateException">It is wrong.</exception>
    public ChatTemplate ForTools => Named("tool_use") ?? Default;

    /// <summary>Names of the templates beside <see cref="Default"/>.</summary>
    public IReadOnlyCollection<string> Names => _named.Keys;

    /// <summary>The templates of a GGUF file or a Hugging Face folder.</summary>
    /// <exception cref="ModelFormatException">What stands in their place is no text.</exception>
    public static ChatTemplates Of(WeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Of(source.Metadata);
    }

    /// <summary>
    /// The templates under tokenizer.chat_template, and under tokenizer.chat_template.NAME for tool_use and what
    /// tokenizer.chat_templates lists.
    /// </summary>
    /// <exception cref="ModelFormatException">What stands in their place is no text.</exception>
    public static ChatTemplates Of(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var named = new Dictionary<string, Lazy<ChatTemplate>>(StringComparer.Ordinal);
        foreach (string name in (string[])["tool_use", .. metadata.GetArray<string>("tokenizer.chat_templates") ?? []])
        {
            if (metadata.GetString($"{Key}.{name}") is { } text)
                named[name] = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(text));
        }

        return new ChatTemplates(metadata.GetString(Key) ?? metadata.GetString($"{Key}.tool_use"), named);
    }

    /// <summary>The template of a name, or null.</summary>
    /// <exception cref="TemplateException">It is wrong.</exception>
    public ChatTemplate? Named(string name) => _named.GetValueOrDefault(name)?.Value;
}
