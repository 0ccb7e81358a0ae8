using Polymath.Files;

namespace Polymath.Text.Templates;

/// <summary>The chat templates that a model's file carries, parsed when they are first asked for.</summary>
public sealed class ChatTemplates
{
    private const string Key = "tokenizer.chat_template";

    /// <summary>ChatML, for models without a template: what most open models without one of their own were trained on.</summary>
    private const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private readonly Lazy<ChatTemplate> _default;
    private readonly Lazy<ChatTemplate> _forTools;

    private ChatTemplates(string? source, string? forTools)
    {
        IsOfModel = source is not null;
        _default = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(source ?? ChatMl));
        _forTools = forTools is null ? _default : new Lazy<ChatTemplate>(() => ChatTemplate.Parse(forTools));
    }

    /// <summary>False where the file has none and ChatML stands in.</summary>
    public bool IsOfModel { get; }

    /// <summary>The template.</summary>
    /// <exception cref="TemplateException">It is wrong.</exception>
    public ChatTemplate Default => _default.Value;

    /// <summary>The template for conversations with tools: the one named tool_use, where there is one.</summary>
    /// <exception cref="TemplateException">It is wrong.</exception>
    public ChatTemplate ForTools => _forTools.Value;

    /// <summary>The templates of a GGUF file or a Hugging Face folder.</summary>
    /// <exception cref="ModelFormatException">What stands in their place is no text.</exception>
    public static ChatTemplates Of(WeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Of(source.Metadata);
    }

    /// <summary>The templates under tokenizer.chat_template, and tokenizer.chat_template.tool_use for tools.</summary>
    /// <exception cref="ModelFormatException">What stands in their place is no text.</exception>
    public static ChatTemplates Of(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string? forTools = metadata.Contains($"{Key}.tool_use") ? metadata.GetString($"{Key}.tool_use") : null;
        string? source = metadata.Contains(Key) ? metadata.GetString(Key) : null;
        return new ChatTemplates(source ?? forTools, forTools);
    }
}
